// Run once by the mongo image, on an empty data volume, before it listens on the network.
// Makes what roles.json beside it names: `crawler` does what a night and a prune need and can drop nothing,
// `reader` reads. tests/box/test_mongo_roles.py lives with these very roles.

const fs = require("fs");

const wanted = JSON.parse(
  fs.readFileSync(`${process.env.SUBCMC_ROLES || "/docker-entrypoint-initdb.d"}/roles.json`, "utf8"),
);

function secret(name) {
  const value = fs.readFileSync(`${process.env.SUBCMC_SECRETS || "/run/secrets"}/${name}`, "utf8").trim();
  if (value === "") {
    throw new Error(`secret ${name} is empty`);
  }
  return value;
}

// All are read first, so that an unreadable one leaves nothing half made.
const users = wanted.users.map(({ user, secret: name, roles }) => ({ user, pwd: secret(name), roles }));

const subcmc = db.getSiblingDB(wanted.database);
wanted.roles.forEach((role) => subcmc.createRole(role));
users.forEach((user) => subcmc.createUser(user));
