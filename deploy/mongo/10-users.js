// Run once by the mongo image, on an empty data volume, before it listens on the network.
// Two users of database subcmc: `crawler` does what a night needs and can drop nothing; `reader` reads.

const fs = require("fs");

function secret(name) {
  const value = fs.readFileSync(`${process.env.SUBCMC_SECRETS || "/run/secrets"}/${name}`, "utf8").trim();
  if (value === "") {
    throw new Error(`secret ${name} is empty`);
  }
  return value;
}

// Both are read first, so that an unreadable one leaves nothing half made.
const crawlerPassword = secret("mongo_crawler_password");
const readerPassword = secret("mongo_reader_password");

const subcmc = db.getSiblingDB("subcmc");

subcmc.createRole({
  role: "crawl",
  privileges: [
    {
      resource: { db: "subcmc", collection: "" },
      actions: [
        "find", "insert", "update", "remove", // versions, manifests, ledger, leases
        "createCollection", "createIndex", "collMod", // collections, views, indexes, validators
        "listCollections", "listIndexes", "collStats", "dbStats", // the check at every start
      ],
    },
  ],
  roles: [],
});

subcmc.createUser({ user: "crawler", pwd: crawlerPassword, roles: ["crawl"] });
subcmc.createUser({ user: "reader", pwd: readerPassword, roles: ["read"] });
