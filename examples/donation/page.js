// What was given, as it comes.

import { node, payee } from "../lib/node.js";
import { payments, shown } from "../lib/payment.js";

const [widget, give, total, gifts] = ["widget", "give", "total", "gifts"].map((id) =>
	document.getElementById(id),
);
const address = payee(widget);
give.href = `nano:${address}`;

// What its owner has received already is in the balance.
const known = await node.account(address, { fresh: true }).catch(() => ({ balance: 0n }));
let sum = known.balance;
total.textContent = await shown(sum);
for await (const { source, amount } of payments(node, address)) {
	sum += amount;
	total.textContent = await shown(sum);
	const gift = document.createElement("li");
	gift.textContent = `${await shown(amount)} from ${source.slice(0, 12)}…`;
	gifts.prepend(gift);
}
