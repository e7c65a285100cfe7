import { ask } from "./app.js";

const { searchParams } = new URL(location.href);
ask(searchParams.get("bridge"), searchParams.get("account")).then(
	(answer) => {
		globalThis.answer = answer;
	},
	(error) => {
		globalThis.failure = `${error.code}: ${error.stack} ${error.cause}`;
	},
);
