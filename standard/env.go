package standard

import "os"

// processEnv is what os.getenv answers from, for the variables that
// [tools.system] allowed_env_vars names.
func processEnv(name string) (string, bool) { return os.LookupEnv(name) }
