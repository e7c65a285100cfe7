// What the start of each browser node is, in its own package's words: load, then ready to be asked.

/** A package that is started. */
export interface Peer {
	/** As on npm. */
	name: string;
	/** Module of the site that starts it: `ready()` resolves when the node can be asked. */
	entry: string;
	/** The module's source, bundled for the site unless it is served as it is. */
	source: string;
	bundle: boolean;
}

/** Where nobody answers: all start without a network, so that its speed is not measured. */
const NOWHERE = 'new URL("/nowhere/", location.href).href';

/** Ours first; then published browser nodes of other networks. */
export const PEERS: readonly Peer[] = [
	{
		name: "nanonet",
		entry: "/ours.js",
		source: `import { NanoNode } from "/nanonet/index.js";
export const ready = (options) => NanoNode.start({ bridges: ["http://127.0.0.1:9"], ...options });`,
		bundle: false,
	},
	{
		name: "smoldot",
		entry: "/smoldot.js",
		source: `import { start } from "smoldot";
import { chainSpec } from "@substrate/connect-known-chains/polkadot";
export const ready = () => start({ maxLogLevel: 0 }).addChain({ chainSpec });`,
		bundle: true,
	},
	{
		name: "@nimiq/core",
		entry: "/nimiq.js",
		source: `import init, { Client, ClientConfiguration } from "/nimiq/web/index.js";
export const ready = async () => {
	await init();
	const configuration = new ClientConfiguration();
	configuration.logLevel("error");
	return Client.create(configuration.build());
};`,
		bundle: false,
	},
	{
		name: "@a16z/helios",
		entry: "/helios.js",
		source: `import { createHeliosProvider } from "@a16z/helios";
export const ready = () => createHeliosProvider({
	executionRpc: ${NOWHERE}, consensusRpc: ${NOWHERE}, network: "mainnet", dbType: "config",
	checkpoint: "0x${"85".repeat(32)}",
}, "ethereum");`,
		bundle: true,
	},
];
