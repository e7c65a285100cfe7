// What programs may write against the public types, and what the compiler must refuse. It is compiled, never run:
// `tests/e2e/package.test.ts` does so against the package as it is installed.

import {
	type AccountAnswer,
	type Health,
	NanoError,
	NanoNode,
	type NodeStatus,
	type PendingBlock,
	type ProcessResult,
	type ProofInfo,
	type Receivable,
	type RpcAnswer,
	type Signer,
	type StartOptions,
	type StateBlockJson,
	type Stream,
	type TabRole,
	type TransactionEvent,
	WorkAhead,
	type WorkPool,
} from "nanonet";
import {
	type BlockParts,
	buildBlock,
	NanoError as CoreError,
	type DerivedAccount,
	type deriveAccount,
	initCore,
	nanoToRaw,
	type ProvenFrontier,
	rawToNano,
	signBlock,
	verifyProof,
} from "nanonet/core";
import { WorkPool as LonePool } from "nanonet/work";

/** Compiles only if both types are the same. */
type Same<A, B> =
	(<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>) => {};

export async function starting(): Promise<NanoNode> {
	same<Parameters<typeof NanoNode.start>[0], StartOptions | undefined>(true);
	await NanoNode.start();
	await NanoNode.start({ bridges: ["https://bridge.example"], signal: AbortSignal.timeout(1) });
	await NanoNode.start({ folder: "data", storage: "memory", iceServers: [{ urls: "stun:x" }] });
	// @ts-expect-error no such network
	await NanoNode.start({ network: "main" });
	// @ts-expect-error a mistyped option
	await NanoNode.start({ bridge: "https://bridge.example" });
	// @ts-expect-error nodes are started, not made
	return new NanoNode();
}

export async function asking(node: NanoNode): Promise<void> {
	const answer = await node.account("nano_1", { fresh: true, timeoutMs: 1 });
	same<typeof answer, AccountAnswer>(true);
	same<AccountAnswer["balance"], bigint>(true);
	same<AccountAnswer["proof"], ProofInfo | null>(true);
	same<AccountAnswer["receivable"], Receivable[]>(true);
	same<AccountAnswer["state"], "opened" | "unopened" | "unknown">(true);
	// @ts-expect-error a proof may be missing
	answer.proof.json();
	// @ts-expect-error amounts are no numbers
	const _number: number = answer.balance;
	same<Awaited<ReturnType<typeof node.status>>, NodeStatus>(true);
	same<Awaited<ReturnType<typeof node.health>>, Health>(true);
	same<Awaited<ReturnType<typeof node.pending>>, PendingBlock[]>(true);
	same<typeof node.role, TabRole>(true);
	const told = await node.rpc({ action: "account_balance", account: "nano_1" });
	same<typeof told, RpcAnswer>(true);
	// @ts-expect-error a request names its action
	await node.rpc({ account: "nano_1" });
	const asFetch: typeof fetch = node.fetch;
	await asFetch("https://rpc.example", { method: "POST", body: "{}" });
}

export async function paying(node: NanoNode, key: DerivedAccount): Promise<void> {
	const sent = await node.send(key, { to: "nano_1", amount: 1n });
	same<typeof sent, ProcessResult>(true);
	// @ts-expect-error amounts are raw, as bigint
	await node.send(key, { to: "nano_1", amount: 1 });
	// @ts-expect-error somebody must sign
	await node.send({ address: "nano_1" }, { to: "nano_1", amount: 1n });
	const wallet: Signer = { address: "nano_1", sign: async (hash, block) => hash + block.account };
	await node.receive(wallet);
	await node.receive(wallet, { hash: "00", representative: "nano_1" });
	await node.change(wallet, { representative: "nano_1" }, { signal: AbortSignal.timeout(1) });
	const parts: BlockParts = {
		account: key.address,
		previous: null,
		representative: key.address,
		balance: nanoToRaw("1"),
		link: null,
	};
	const block = signBlock(buildBlock(parts), key.privateKey);
	same<typeof block, StateBlockJson>(true);
	await node.process(block);
}

export async function listening(node: NanoNode): Promise<void> {
	const off = node.on("transaction", (event) => same<typeof event, TransactionEvent>(true));
	same<typeof off, () => void>(true);
	// @ts-expect-error no such event
	node.on("money", () => {});
	const records = node.events("record", { signal: AbortSignal.timeout(1) });
	same<typeof records, Stream<{ account: string }>>(true);
	for await (const { account } of records) same<typeof account, string>(true);
}

export async function alone(): Promise<string> {
	await initCore();
	same<typeof deriveAccount, (seed: string, index: number) => DerivedAccount>(true);
	const proven = verifyProof("{}", "nano_1", "live", "{}");
	same<typeof proven, ProvenFrontier>(true);
	const pool = new LonePool({ threads: 1 });
	same<typeof pool, WorkPool>(true);
	await new WorkAhead(pool).expect("nano_1", "00");
	const error: unknown = undefined;
	if (error instanceof NanoError || error instanceof CoreError)
		same<typeof error.code, string>(true);
	return rawToNano(1n);
}
