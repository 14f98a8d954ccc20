const key = require("crypto").randomBytes(8).toString("hex");
const server = require("net").connect(5555, "pi");
server.setTimeout(6000, () => server.destroy());
server.on("error", (why) => console.error(why.message));
server.on("data", (answer) => process.stdout.write(answer));
server.write(`LED TOGGLE #${key}\n`);
