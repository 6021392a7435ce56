// Prints how kubelet reads docker configs. Each line of the input is a JSON object: type is that of the Secret, data its
// text in base64. Each line of the output is null for a Secret that kubelet refuses, or the logins that it takes from it.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"k8s.io/kubernetes/pkg/credentialprovider"
)

type config struct {
	Type string `json:"type"`
	Data []byte `json:"data"`
}

type login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var given config
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			panic(err)
		}
		if err := answers.Encode(read(given)); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

// As pkg/credentialprovider/secrets does.
func read(given config) map[string]login {
	var entries credentialprovider.DockerConfig
	var err error
	if given.Type == "kubernetes.io/dockercfg" {
		err = json.Unmarshal(given.Data, &entries)
	} else {
		var whole credentialprovider.DockerConfigJSON
		err = json.Unmarshal(given.Data, &whole)
		entries = whole.Auths
	}
	if err != nil {
		return nil
	}
	logins := map[string]login{}
	for registry, entry := range entries {
		logins[registry] = login{entry.Username, entry.Password}
	}
	return logins
}
