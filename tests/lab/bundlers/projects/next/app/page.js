"use client";

import { useEffect } from "react";
import { ask } from "../app.js";

// The server renders this too, so it imports the package where there is no window.
export default function Page() {
	useEffect(() => {
		const { searchParams } = new URL(location.href);
		ask(searchParams.get("bridge"), searchParams.get("account")).then(
			(answer) => {
				globalThis.answer = answer;
			},
			(error) => {
				globalThis.failure = `${error.code}: ${error.stack} ${error.cause}`;
			},
		);
	}, []);
	return <p>Rendered on the server</p>;
}
