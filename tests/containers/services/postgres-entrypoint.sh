#!/bin/bash
# Creates the database of POSTGRES_USER on an empty volume, as the published image of PostgreSQL does, then runs the command.
set -euo pipefail
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
export PGDATA=/var/lib/postgresql/data
if [ ! -s $PGDATA/PG_VERSION ]; then
  initdb --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8
  echo "host all all all scram-sha-256" >>$PGDATA/pg_hba.conf
  pg_ctl --wait --options "-c listen_addresses=" start
  psql --username "$POSTGRES_USER" --dbname postgres --command "CREATE DATABASE $POSTGRES_DB"
  pg_ctl --wait --mode fast stop
fi
exec "$@"
