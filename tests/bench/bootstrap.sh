#!/bin/sh
# What user-data scripts do where gild is not: the same reads, one after the other, with curl, the
# aws CLI and grep, and then the same playbook. Its environment says where everything is.
set -eu

imds() { curl --silent --fail --header "X-aws-ec2-metadata-token: $token" "$IMDS/latest/$1"; }
value() { grep "^$2 *=" "$1" | sed 's/^[^"]*"//; s/"$//'; }

token=$(curl --silent --fail --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 21600' "$IMDS/latest/api/token")
imds dynamic/instance-identity/document >"$HERE/identity"
account=$(grep -o '"accountId" *: *"[0-9]*"' "$HERE/identity" | grep -o '[0-9]*')
for tag in $(imds meta-data/tags/instance); do
    printf '%s = "%s"\n' "$tag" "$(imds "meta-data/tags/instance/$tag")"
done >"$HERE/tags"
curl --silent --fail "$GLOBAL/gild/global.toml" >"$HERE/global"
aws ssm get-parameter --with-decryption --name /gild/account \
    --query Parameter.Value --output text >"$HERE/parameter"
aws s3api get-object --bucket "conf-$account" --key gild/account.toml "$HERE/account" >"$HERE/answer"
{
    printf 'role=%s\n' "$(value "$HERE/tags" gild:vars.role)"
    printf 'global_1=%s\n' "$(value "$HERE/global" global_1 | tr ' ' _)"
    printf 'global_2=%s\n' "$(value "$HERE/global" global_2 | tr ' ' _)"
    printf 'account_1=%s\n' "$(value "$HERE/account" account_1 | tr ' ' _)"
    printf 'parameter_1=%s\n' "$(value "$HERE/parameter" parameter_1 | tr ' ' _)"
} >"$HERE/merged"
if [ -n "${PLAYBOOK:-}" ]; then
    cd "$PLAYBOOK"
    ansible-playbook --connection=local --inventory 127.0.0.1, --tags configuration \
        --extra-vars "$(cat "$HERE/merged")" main.yml
fi
