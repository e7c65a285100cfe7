// A proof that travels: in the part of a link that never reaches a server, or in a file.
//
// Both hold the proof's binary form with no more votes than it takes; a link writes it in base64url. Whoever opens it
// checks everything anew, without a network.

import type { NetworkName, ProvenFrontier } from "nanonet/core";
import { loadCore } from "./wallet.js";

/** How the fragment of a proof link begins. */
export const PROOF_FRAGMENT = "#proof=";
/** Longest link that is also drawn as a QR code: more is hard to scan from a screen. */
export const QR_BYTES = 2_000;
/** Longest proof that is read from a link or a file. */
const MOST_BYTES = 262_144;
/** Name of a proof's file, without what tells one from another. */
export const PROOF_FILE = ".nanoproof";

/** A proof that was opened here, and held. */
export interface OpenedProof {
	network: NetworkName;
	proven: ProvenFrontier;
}

/** Why a link or a file is no proof. */
export class ProofLinkError extends Error {
	constructor(
		readonly code: "not-a-proof" | "no-weights",
		message: string,
	) {
		super(message);
		this.name = "ProofLinkError";
	}
}

const WEIGHTS = "nanonet-dev-weights";

/** Keeps the development network's weights, which nobody ships, for proofs that are opened offline. */
export async function keepWeights(network: NetworkName): Promise<void> {
	if (network !== "dev") return;
	try {
		const response = await fetch("/v1/weights");
		if (response.ok) localStorage.setItem(WEIGHTS, await response.text());
	} catch {
		// Those kept before are as good.
	}
}

async function weightsOf(network: NetworkName): Promise<string | undefined> {
	if (network !== "dev") return undefined;
	if (localStorage.getItem(WEIGHTS) === null) await keepWeights(network);
	const kept = localStorage.getItem(WEIGHTS);
	if (kept !== null) return kept;
	throw new ProofLinkError(
		"no-weights",
		"This proof is of the development network, whose voting weights this browser has never seen: open the page once while its bridge runs.",
	);
}

/** The binary form of a proof, checked. */
export async function packed(
	json: string,
	address: string,
	network: NetworkName,
): Promise<Uint8Array<ArrayBuffer>> {
	const { packProof } = await loadCore();
	return packProof(json, address, network, await weightsOf(network));
}

/** The link of a packed proof. */
export function linkOf(proof: Uint8Array): string {
	const text = btoa(String.fromCharCode(...proof));
	const safe = text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
	return `${location.origin}/${PROOF_FRAGMENT}${safe}`;
}

/** The proof in a link's fragment. */
export function fromFragment(fragment: string): Uint8Array<ArrayBuffer> {
	const text = fragment.slice(PROOF_FRAGMENT.length);
	if (text.length > (MOST_BYTES * 4) / 3 || !/^[\w-]+$/.test(text)) throw notAProof();
	try {
		const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
		return Uint8Array.from(binary, (character) => character.charCodeAt(0));
	} catch {
		throw notAProof();
	}
}

/** The proof in a file. */
export async function fromFile(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
	if (file.size > MOST_BYTES) throw notAProof();
	return new Uint8Array(await file.arrayBuffer());
}

/** Checks a proof; fails with the reason's code. */
export async function opened(proof: Uint8Array): Promise<OpenedProof> {
	const { proofSubject, verifyProof } = await loadCore();
	const { account, network } = proofSubject(proof);
	const proven = verifyProof(proof, account, network, await weightsOf(network));
	return { network, proven };
}

const notAProof = () =>
	new ProofLinkError(
		"not-a-proof",
		"This is not a proof: the link or file is cut off or altered. Ask whoever sent it to copy it whole.",
	);
