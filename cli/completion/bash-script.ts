/**
 * Bash's own script for completion. It hands the words over as they were typed: none of them is evaluated, and nothing
 * besides bash is needed. Bash breaks words at `:` and `=`, which stand in ARNs and options, so what is before the last
 * of them is taken off again.
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
