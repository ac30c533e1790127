#!/bin/sh
# Writes the secrets that docker-compose.yml mounts, each only if it is absent. See secrets/README.md.
set -eu
umask 077
cd "$(dirname "$0")/.."

# The directory keeps other users of the host out; the files are 0444 because a container's user
# (999 for mongo, 10001 for the crawler) reads the very file, with the host's owner and mode.
mkdir -p secrets/provinces
chmod 0700 secrets
chmod 0755 secrets/provinces

write() { # name, content
  if [ -e "secrets/$1" ]; then
    echo "kept    secrets/$1"
    return
  fi
  printf '%s' "$2" >"secrets/.$1.new"
  chmod 0444 "secrets/.$1.new"
  mv "secrets/.$1.new" "secrets/$1"
  echo "written secrets/$1"
}

password() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; } # hexadecimal: nothing to escape in a URI

write mongo_root_password.txt "$(password)"
write mongo_crawler_password.txt "$(password)"
write mongo_reader_password.txt "$(password)"
write mongodb_uri.txt \
  "mongodb://crawler:$(cat secrets/mongo_crawler_password.txt)@mongo:27017/subcmc?authSource=subcmc"
write mongodb_reader_uri.txt \
  "mongodb://reader:$(cat secrets/mongo_reader_password.txt)@mongo:27017/subcmc?authSource=subcmc"
