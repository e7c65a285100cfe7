// `nano:` links: an address with what is to be paid, as QR codes of shops and other wallets carry it.
//
// The amount is in raw. Everything in a link comes from outside: it is shown as text and nothing is done by it.

/** What a link asks for. */
export interface NanoLink {
	address: string;
	/** Raw. */
	amount: bigint | null;
	/** What the payment is for, in the words of whoever made the link. */
	message: string;
}

/** Longest message that is shown. */
const MOST_MESSAGE = 200;
const RAW_DIGITS = /^\d{1,39}$/;

/** Reads a link, or an address alone; nothing if the text is neither. The address is not checked. */
export function readNanoLink(text: string): NanoLink | undefined {
	const match = /^\s*(?:nano:|xrb:)?((?:nano|xrb)_[^\s?#]+)(?:\?([^\s#]*))?\s*$/i.exec(text);
	if (!match?.[1]) return undefined;
	const query = new URLSearchParams(match[2] ?? "");
	const amount = query.get("amount") ?? "";
	const message = [query.get("label"), query.get("message")].filter(Boolean).join(": ");
	return {
		address: match[1].toLowerCase(),
		amount: RAW_DIGITS.test(amount) ? BigInt(amount) : null,
		message: printable(message).slice(0, MOST_MESSAGE),
	};
}

/** The link that asks for a payment. */
export function nanoLink(address: string, amount: bigint | null, message: string): string {
	const query = new URLSearchParams();
	if (amount !== null) query.set("amount", amount.toString());
	if (message !== "") query.set("message", message);
	const text = query.toString().replaceAll("+", "%20");
	return `nano:${address}${text === "" ? "" : `?${text}`}`;
}

/** A text without what would reorder or hide what stands around it. */
export const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ").trim();
