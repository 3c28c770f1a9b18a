#!/bin/sh
# Makes the account that the logrotate recipe and the system service name.
set -e
if command -v systemd-sysusers >/dev/null 2>&1; then
    systemd-sysusers llmspell.conf
elif ! id llmspell >/dev/null 2>&1; then
    useradd -r -s /bin/false -d /var/lib/llmspell llmspell
fi
