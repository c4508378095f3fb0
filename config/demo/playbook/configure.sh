#!/bin/sh
# The demo's step, without Ansible: the same as main.yml does with it.
# Arguments: the site's name, its greeting, the environment, the port.
set -eu
site_name=$1 greeting=$2 environment=$3 port=$4
site=$PWD/../site

mkdir -p "$site/public"
cat >"$site/site.conf" <<CONF
# $environment
server {
    listen 127.0.0.1:$port;
    server_name $site_name;
}
CONF
printf '%s, this is %s.\n' "$greeting" "$site_name" >"$site/public/index.html"
echo ok >"$site/public/health"
echo "wrote $site_name for $environment"
./serve.sh "$site/public" "$port" "$PPID"
