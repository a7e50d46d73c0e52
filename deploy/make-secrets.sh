#!/bin/sh
# Makes the secrets of docker-compose.yml: passwords, the master key, the operator's token; once. What is there
# stays as it is. Run it as root: a secret reaches a container as a bind mount with the host's owner and mode,
# so each file belongs to the user number of the container that reads it, and to nobody else.
#
#   sudo sh deploy/make-secrets.sh [FOLDER]        default: deploy/secrets
set -eu
umask 077
folder=${1:-$(dirname "$0")/secrets}
service_user=10001   # deploy/Dockerfile
database_user=999    # postgres in the image postgres:18

[ "$(id -u)" = 0 ] || { echo "Run this as root: it gives files to the containers' users." >&2; exit 1; }
mkdir -p "$folder"
chmod 0711 "$folder"

# keep NAME USER < content: writes a new file whole, or not at all.
keep() {
  cat > "$folder/.$1.new"
  chown "$2" "$folder/.$1.new"
  chmod 0400 "$folder/.$1.new"
  mv -n "$folder/.$1.new" "$folder/$1"
  echo "made $folder/$1"
}

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# login NAME LOGIN DATABASE: a URL with a new password.
login() {
  [ -e "$folder/$1" ] || printf 'postgresql://%s:%s@database:5432/%s\n' "$2" "$(random)" "$3" | keep "$1" $service_user
}

# The owner's password stands in two files, which must agree.
if [ -e "$folder/owner_password" ] && [ ! -e "$folder/owner_database_url" ]; then
  printf 'postgresql://mlds_owner:%s@database:5432/mlds\n' "$(cat "$folder/owner_password")" |
    keep owner_database_url $service_user
elif [ ! -e "$folder/owner_password" ]; then
  password=$(random)
  printf '%s' "$password" | keep owner_password $database_user
  rm -f "$folder/owner_database_url"
  printf 'postgresql://mlds_owner:%s@database:5432/mlds\n' "$password" | keep owner_database_url $service_user
fi
for service in governance evidence projections credentials; do
  login "${service}_database_url" "mlds_$service" mlds
done
login keys_database_url mlds_keys mlds_keys
[ -e "$folder/master_key" ] || head -c 32 /dev/urandom | keep master_key $service_user
[ -e "$folder/operator_token" ] || { random; echo; } | keep operator_token $service_user

echo "Back up $folder/master_key apart from the databases: without it nobody reads what people wrote,"
echo "and with it and a copy of the databases anybody does."
