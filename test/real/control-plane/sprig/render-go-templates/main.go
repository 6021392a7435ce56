// Prints what Go's text/template with Sprig makes of templates, as External Secrets Operator runs them: every value is a
// text, and a missing one is an error. Each line of the input is a JSON object: template, and the values in base64. Each
// line of the output is a JSON object: the text in base64, or an error. If the line asks for it, the text is read as the
// operator reads a literal: as a YAML map of texts, which the output has in base64.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

type question struct {
	Template string            `json:"template"`
	Values   map[string][]byte `json:"values"`
	IsMap    bool              `json:"isMap"`
}

type answer struct {
	Text  []byte            `json:"text"`
	Map   map[string][]byte `json:"map,omitempty"`
	Error string            `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		if err := answers.Encode(render(asked)); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func render(asked question) answer {
	values := map[string]string{}
	for name, value := range asked.Values {
		values[name] = string(value)
	}
	parsed, err := template.New("").Option("missingkey=error").Funcs(sprig.TxtFuncMap()).Parse(asked.Template)
	if err != nil {
		return answer{Error: err.Error()}
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, values); err != nil {
		return answer{Error: err.Error()}
	}
	if !asked.IsMap {
		return answer{Text: text.Bytes()}
	}
	read := map[string]string{}
	if err := yaml.Unmarshal(text.Bytes(), &read); err != nil {
		return answer{Error: err.Error()}
	}
	result := map[string][]byte{}
	for key, value := range read {
		result[key] = []byte(value)
	}
	return answer{Map: result}
}
