// An order and its payment.

import { node, payee } from "../lib/node.js";
import { ownAmount, paid, paymentLink, shown } from "../lib/payment.js";

/** How long an order stands. */
const PATIENCE_MS = 15 * 60_000;
const CUP = 25n;

const [order, state, receipt] = ["order", "state", "receipt"].map((id) =>
	document.getElementById(id),
);

order.addEventListener("submit", async (event) => {
	event.preventDefault();
	const cents = CUP * BigInt(order.elements.cups.value);
	const price = `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
	const address = payee(order);
	const amount = await ownAmount(price);
	const link = Object.assign(document.createElement("a"), {
		href: paymentLink(address, amount),
		textContent: `Pay ${price} XNO`,
	});
	for (const one of order.elements) one.disabled = true;
	state.replaceChildren(link, " within a quarter of an hour.");
	try {
		const { hash } = await paid(node, address, amount, AbortSignal.timeout(PATIENCE_MS));
		state.textContent = `Paid: ${await shown(amount)}, confirmed by the network.`;
		receipt.textContent = `Receipt: ${hash}`;
	} catch {
		state.textContent = "The order has lapsed. Order again.";
		for (const one of order.elements) one.disabled = false;
	}
});
// Not before: an order that nobody hears is lost.
order.querySelector("button").disabled = false;
