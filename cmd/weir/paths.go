package main

import (
	"cmp"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"weir/configs"
	"weir/internal/host"
	"weir/internal/service"
)

func (p *program) paths() *cli.Command {
	return &cli.Command{
		Name:  "paths",
		Usage: "print the default data directories, and where their services are described, what runs is logged and backups are remembered",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			out := map[string]string{}
			home, homeless := os.UserHomeDir()
			shown := map[string]string{}
			for _, role := range []string{roleManager, roleMember} {
				d, err := defaultDir(role)
				if err != nil {
					return err
				}
				out[role] = d
				out[role+"_backup"] = host.Directory(d).BackupFile()
				if file := logFile(d); file != "" {
					out[role+"_log"] = file
				}
				if homeless == nil {
					s := service.Service{Role: role, Dir: d, Plain: true, Home: home}
					out[role+"_service"] = s.File(service.Native())
					if out[role+"_log"] == "" {
						shown[role] = "the terminal; of the service: " + s.Logs(service.Native())
					}
				}
			}
			return p.show(c.Bool("json"), out, func() {
				for _, role := range []string{roleManager, roleMember} {
					p.printf("%-7s  %s\n", role, out[role])
				}
				for _, role := range []string{roleManager, roleMember} {
					p.printf("%s log      %s\n", role, cmp.Or(out[role+"_log"], shown[role], "the terminal"))
					p.printf("%s backup   %s\n", role, backupText(host.Directory(out[role])))
				}
				for _, role := range []string{roleManager, roleMember} {
					if file := out[role+"_service"]; file != "" {
						_, err := os.Lstat(file)
						p.printf("%s service  %s%s\n", role, file, yes(err == nil, "", " (not installed)"))
					}
				}
			})
		},
	}
}

// logFile is the log file that a directory's settings name; "": none, or they do not
// read, which weir doctor says.
func logFile(dir string) string {
	s, err := configs.Read(filepath.Join(dir, "weir.toml"), false)
	if err != nil || s.Log == "" || filepath.IsAbs(s.Log) {
		return s.Log
	}
	return filepath.Join(dir, s.Log)
}

// backupText says where the record of the newest backup is, and what it says.
func backupText(d host.Directory) string {
	r, ok, err := d.Backup()
	if err != nil || !ok {
		return d.BackupFile() + " remembers the newest; there has never been one"
	}
	return d.BackupFile() + " remembers the newest: " + r.File + ", made " + ago(r.Made.UTC().Format(time.RFC3339))
}
