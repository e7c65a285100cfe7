import { ask } from "./app.js";

const [, , bridge, account] = process.argv;
console.log(JSON.stringify(await ask(bridge, account)));
