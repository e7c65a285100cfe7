// A button that shows an article once it is paid for.

import { node, payee } from "../lib/node.js";
import { ownAmount, paid, paymentLink } from "../lib/payment.js";

const [wall, read, state] = ["wall", "read", "state"].map((id) => document.getElementById(id));

read.addEventListener("click", async () => {
	read.disabled = true;
	const address = payee(wall);
	const amount = await ownAmount("0.01");
	const link = Object.assign(document.createElement("a"), {
		href: paymentLink(address, amount),
		textContent: "Open your wallet",
	});
	state.replaceChildren(link, " – this page goes on when the payment is confirmed.");
	await paid(node, address, amount);
	wall.replaceWith(document.getElementById("rest").content);
});
// Not before: a click that nobody hears is lost.
read.disabled = false;
