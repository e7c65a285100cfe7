// Work that was found, by its root: kept in the page's local storage, so that work made ahead outlives a reload.
//
// Nothing here is secret or needs to be trusted: work for a root is of no use for another, and a full node checks it.
// Where there is no storage, or it is full, what was found is kept in memory alone.

/** Values kept; the oldest go first. */
const KEPT = 64;
const KEY = "nanonet-work";

interface Kept {
	root: string;
	work: string;
	/** The difficulty that it was searched for, 16 hex digits. */
	difficulty: string;
}

/** Work by its root. */
export class WorkStore {
	#kept: Kept[] | undefined;

	/** Work over `root` that was searched for to at least `threshold`. */
	find(root: string, threshold: bigint): string | undefined {
		const wanted = root.toUpperCase();
		return this.#all().find(
			(kept) => kept.root === wanted && BigInt(`0x${kept.difficulty}`) >= threshold,
		)?.work;
	}

	/** Keeps what a search found; an easier one over the same root gives way to it. */
	keep(root: string, work: string, threshold: bigint): void {
		const kept = {
			root: root.toUpperCase(),
			work,
			difficulty: threshold.toString(16).padStart(16, "0"),
		};
		const others = this.#all().filter((other) => other.root !== kept.root);
		this.#kept = [...others, kept].slice(-KEPT);
		try {
			localStorage.setItem(KEY, JSON.stringify(this.#kept));
		} catch {
			// Refused or full.
		}
	}

	#all(): Kept[] {
		this.#kept ??= read();
		return this.#kept;
	}
}

function read(): Kept[] {
	try {
		const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
		return Array.isArray(stored) ? stored.filter(isKept).slice(-KEPT) : [];
	} catch {
		return [];
	}
}

function isKept(value: unknown): value is Kept {
	const { root, work, difficulty } = (value ?? {}) as Partial<Kept>;
	const digits = (text: unknown, count: number) =>
		typeof text === "string" && text.length === count && /^[0-9a-fA-F]+$/.test(text);
	return digits(root, 64) && digits(work, 16) && digits(difficulty, 16);
}
