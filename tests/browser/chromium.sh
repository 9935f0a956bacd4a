#!/bin/sh
# Print the path of a Chromium for the browser tests: the system's own, else the distribution's
# package when run as root, else Playwright's.
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then command -v "$name"; exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "• installing the distribution's chromium" >&2
    if apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null 2>&1; then
        command -v chromium
        exit 0
    fi
fi
echo "• fetching Playwright's own Chromium" >&2
.venv/bin/playwright install chromium >&2
.venv/bin/python - <<'E2'
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
E2
