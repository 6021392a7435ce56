/**
 * The script of @bomb.sh/tab evaluates the typed words and needs the bash-completion package; this one needs only bash.
 * Bash splits words at `:` and `=`, which ARNs and options contain, so the script removes the part before the last one.
 */
export const BASH_SCRIPT = `# bash completion for secret-relay
_secret_relay() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() answer directive="" value _ broken=""
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local begun=\${words[\${#words[@]}-1]}
  [[ $begun == *[:=]* ]] && broken=\${begun%"\${begun##*[:=]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == :[0-9]* ]]; then directive=$value
    else COMPREPLY+=("\${value#"$broken"}"); fi
  done < <(secret-relay complete -- "\${words[@]:1}" 2>/dev/null)
  [[ $directive == :0 && \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default 2>/dev/null
  return 0
}
complete -F _secret_relay secret-relay`;
