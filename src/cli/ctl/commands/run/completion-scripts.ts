/**
 * Scripts that ask the program itself what may come next (complete.ts) and show it in the shell's own way. They need no
 * helper package.
 */
type Script = (program: string, verb: string) => string;

const bash: Script = (program, verb) => `# bash completion for ${program}

_${program}_complete() {
    local line=\${COMP_LINE:0:COMP_POINT} words=() cur answer directive candidate name width=0
    local -a candidates=()
    # Not COMP_WORDS: it would cut flags at "=" and endpoints at ":".
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    cur=\${words[\${#words[@]}-1]}
    answer=$("\${words[0]}" ${verb} "\${words[@]:1}" 2>/dev/null) || return
    directive=\${answer##*:}
    COMPREPLY=()
    while IFS= read -r candidate; do
        name=\${candidate%%$'\\t'*}
        [[ -n $name && $name == "$cur"* ]] || continue
        candidates+=("$candidate")
        (( \${#name} > width )) && width=\${#name}
    done <<< "\${answer%:*}"
    for candidate in "\${candidates[@]}"; do
        name=\${candidate%%$'\\t'*}
        # One alone is put into the line, and several are looked at.
        if [[ \${#candidates[@]} -gt 1 && $candidate == *$'\\t'* ]]; then
            printf -v name '%-*s  (%s)' "$width" "$name" "\${candidate#*$'\\t'}"
        fi
        COMPREPLY+=("$name")
    done
    (( directive & 4 )) || compopt -o default 2>/dev/null
}

complete -F _${program}_complete ${program}
`;

const zsh: Script = (program, verb) => `#compdef ${program}
compdef _${program} ${program}

# zsh completion for ${program}

_${program}() {
    local answer directive candidate
    local -a candidates
    answer=$("\${words[1]}" ${verb} "\${(@Q)words[2,CURRENT]}" 2>/dev/null) || return 1
    directive=\${answer##*:}
    for candidate in \${(f)"\${answer%:*}"}; do
        if [[ $candidate == *$'\\t'* ]]; then
            candidates+=("\${\${candidate%%$'\\t'*}//:/\\\\:}:\${candidate#*$'\\t'}")
        else
            candidates+=("\${candidate//:/\\\\:}")
        fi
    done
    if (( \${#candidates} > 0 )); then
        _describe '${program}' candidates
    elif (( ! (directive & 4) )); then
        _files
    fi
}

# Loaded as a file of fpath it is called at once.
if [[ \${funcstack[1]} == "_${program}" ]]; then
    _${program}
fi
`;

const fish: Script = (program, verb) => `# fish completion for ${program}

function __${program}_ask
    set -l words (commandline -opc)
    set -l answer ($words[1] ${verb} $words[2..-1] (commandline -ct) 2>/dev/null)
    set -g __${program}_answer
    if test (count $answer) -gt 1
        set -g __${program}_answer $answer[1..-2]
    end
    # True where no files are wanted.
    test "$answer[-1]" = ':4'
end

complete -c ${program} -e
complete -c ${program} -f -n '__${program}_ask' -a '$__${program}_answer'
complete -c ${program} -F -n 'not __${program}_ask' -a '$__${program}_answer'
`;

const powershell: Script = (program, verb) => `# powershell completion for ${program}

Register-ArgumentCompleter -Native -CommandName '${program}' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
    $rest = @($words | Select-Object -Skip 1)
    if ($wordToComplete -eq '') { $rest += '""' }
    foreach ($line in @(& $words[0] ${verb} @rest 2>$null)) {
        if ($line -match '^:\\d+$') { continue }
        $name, $text = $line -split "\`t", 2
        if (-not $text) { $text = $name }
        [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $text)
    }
}
`;

export const SCRIPTS: Readonly<Record<string, Script>> = { bash, zsh, fish, powershell };
