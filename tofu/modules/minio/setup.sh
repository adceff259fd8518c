#!/bin/sh
# Makes the buckets, and for each consumer a user with a policy of its own. A second run changes
# nothing. Only mc and what the shell itself knows: the image has little else. Keys go through
# standard input, because arguments can be read by others.
set -eu

# Sets `value` to the first line of a file, whether or not a newline ends it.
read_line() {
  value=
  IFS= read -r value <"$1" || [ -n "$value" ] || {
    echo "$1 is empty" >&2
    exit 1
  }
}

read_line "$SECRETS/root/user"
user=$value
read_line "$SECRETS/root/password"
# The servers may still be on their way up. With the API named, this asks them nothing.
printf '%s\n%s\n' "$user" "$value" | mc alias set minio "$MINIO_URL" --api S3v4 >/dev/null
mc ready minio
printf '%s\n%s\n' "$user" "$value" | mc alias set minio "$MINIO_URL" >/dev/null

while IFS=' ' read -r bucket quota; do
  mc mb --ignore-existing "minio/$bucket"
  if [ "$quota" = none ]; then
    mc quota clear "minio/$bucket"
  else
    mc quota set "minio/$bucket" --size "$quota"
  fi
done <"$CONFIG/buckets"

for policy in "$CONFIG"/*.json; do
  # Without consumers, the pattern stands for itself.
  [ -e "$policy" ] || continue
  consumer=${policy##*/}
  consumer=${consumer%.json}
  mc admin policy create minio "$consumer" "$policy"
  read_line "$SECRETS/$consumer/access-key"
  user=$value
  read_line "$SECRETS/$consumer/secret-key"
  printf '%s\n%s\n' "$user" "$value" | mc admin user add minio >/dev/null
  # To attach what is attached already is an error, and no failure.
  said=$(mc admin policy attach minio "$consumer" --user "$user" 2>&1) || case $said in
    *'already in effect'*) ;;
    *)
      printf '%s\n' "$said" >&2
      exit 1
      ;;
  esac
  echo "Consumer $consumer is set up."
done
