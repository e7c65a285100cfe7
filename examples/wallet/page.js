// A wallet: its account, what it has, sending, and receiving whatever comes.

import { deriveAccount, generateSeed, initCore, nanoToRaw, parseAddress } from "/nanonet/core.js";
import { node } from "../lib/node.js";
import { payments, shown } from "../lib/payment.js";

const [address, balance, send, state] = ["address", "balance", "send", "state"].map((id) =>
	document.getElementById(id),
);
await initCore();

// An example: whoever can run a script on this origin can read the seed. A wallet for real money encrypts it.
const seed = localStorage.getItem("seed") ?? generateSeed();
localStorage.setItem("seed", seed);
const account = deriveAccount(seed, 0);
address.textContent = account.address;

async function show() {
	const { balance: raw } = await node.account(account.address).catch(() => ({ balance: 0n }));
	balance.textContent = await shown(raw);
}

/** Says what goes on, and what went wrong. */
async function tell(what, task) {
	state.textContent = `${what}…`;
	try {
		await task();
		state.textContent = `${what}: done.`;
	} catch (error) {
		state.textContent = `${what}: ${error.message}`;
	}
	await show();
}

send.addEventListener("submit", (event) => {
	event.preventDefault();
	const { to, amount } = send.elements;
	void tell("Sending", async () => {
		const request = { to: parseAddress(to.value).address, amount: nanoToRaw(amount.value) };
		await node.send(account, request);
		send.reset();
	});
});

await show();
// Not before: a form that nobody hears is sent to the server.
send.querySelector("button").disabled = false;
// An account's first block names who votes for it; whoever pays first is as good as any in an example.
for await (const { hash, source } of payments(node, account.address)) {
	await tell("Receiving", () => node.receive(account, { hash, representative: source }));
}
