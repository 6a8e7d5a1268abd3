package service

import (
	"fmt"
	"strings"
)

// socketCharsMax is how long a data directory's path may be for its sockets to lie
// in it; with a longer one they lie in the temporary directory.
const socketCharsMax = 96 - len("/control-01234567.sock")

// unit is a systemd unit, for systemd 250 and later. Directives and their effect:
// systemd.exec(5), systemd.service(5).
func (s Service) unit() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	credential := ""
	if s.PassphraseFile != "" || s.Credential != "" {
		credential = "passphrase"
	}
	line("[Unit]\nDescription=weir %s in %s\n", s.Role, percent(s.Dir))
	line("[Service]\nType=exec")
	exec := []string{program(s.Program)}
	for _, a := range s.arguments("") {
		exec = append(exec, word(a))
	}
	if credential != "" {
		exec = append(exec, "--passphrase-file", "%d/"+credential) // $CREDENTIALS_DIRECTORY
	}
	line("ExecStart=%s", strings.Join(exec, " "))
	switch {
	case s.Credential != "":
		line("LoadCredentialEncrypted=%s:%s", credential, percent(s.Credential))
	case s.PassphraseFile != "":
		line("LoadCredential=%s:%s", credential, percent(s.PassphraseFile))
	}
	line("# What another try would not change: a wrong call, no data, a wrong passphrase, a\n# manager that stopped for good.")
	line("Restart=on-failure\nRestartSec=30\nRestartPreventExitStatus=2 10 12 14\nTimeoutStopSec=60\n")
	if s.System {
		line("User=%s", percent(s.User))
	}
	line("# It reads what it must, writes its data directory, and talks to the network.")
	line("UMask=0077\nNoNewPrivileges=yes\nProtectSystem=strict\nReadWritePaths=%s", list(s.Dir))
	if len(s.Dir) <= socketCharsMax {
		line("PrivateTmp=yes")
	} else {
		line("# The path of the data is too long for a socket in it: commands reach it in /tmp.\nReadWritePaths=/tmp")
	}
	line("RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\nRestrictNamespaces=yes\nRestrictRealtime=yes\nRestrictSUIDSGID=yes\nLockPersonality=yes\nMemoryDenyWriteExecute=yes")
	line("SystemCallArchitectures=native\nSystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\nSystemCallErrorNumber=EPERM")
	if s.System {
		line("ProtectHome=read-only\nPrivateDevices=yes\nProtectClock=yes\nProtectControlGroups=yes\nProtectHostname=yes\nProtectKernelLogs=yes\nProtectKernelModules=yes\nProtectKernelTunables=yes\nProtectProc=invisible\nCapabilityBoundingSet=\nRemoveIPC=yes")
	} else {
		line("PrivateUsers=yes") // what lets a user's own systemd make the file system read-only
	}
	line("\n[Install]\nWantedBy=%s", map[bool]string{true: "multi-user.target", false: "default.target"}[s.System])
	return b.String()
}

// percent is a text in which systemd finds no specifier.
func percent(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// unsafe are characters that systemd takes in no program's path, however they are
// written.
const unsafe = `"'\`

// program is the path of ExecStart, in which no variable is looked for.
func program(path string) string {
	if strings.ContainsAny(path, " ;#") {
		return `"` + percent(path) + `"`
	}
	return percent(path)
}

// word is an argument of ExecStart, whatever is in it.
func word(arg string) string {
	arg = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(arg)
	if strings.ContainsAny(arg, ` "\';#`) || arg == "" {
		return `"` + arg + `"`
	}
	return arg
}

// list is a path in a list of paths.
func list(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(path) + `"`
}
