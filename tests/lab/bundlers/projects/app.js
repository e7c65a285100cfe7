// What every project runs: a balance with its proof, an amount in nano, work, and a full node's RPC. Each needs
// another file of the package.

import { NanoNode } from "nanonet";
import { initCore, rawToNano } from "nanonet/core";

export async function ask(bridge, account) {
	const node = await NanoNode.start({ network: "dev", bridges: [bridge], workThreads: 1 });
	try {
		await initCore();
		const { balance, proof } = await node.account(account);
		const work = await node.work.generate("AB".repeat(32), { difficulty: "fff0000000000000" });
		const told = await node.rpc({ action: "account_balance", account });
		return {
			balance: balance.toString(),
			nano: rawToNano(balance),
			votes: proof.votes.length,
			work,
			told: told.balance,
			verified: told.nanonet.verified,
		};
	} finally {
		await node.stop();
	}
}
