// A payment asked for in a private message: the text is the URI that Nano's wallets read from QR codes,
// `nano:nano_…?amount=…&label=…&message=…`, so that every program that gets it can use it.

/** A payment that somebody asks for. */
export interface PaymentRequest {
	/** Where it goes, `nano_…`. Its checksum is checked by whoever makes the block. */
	account: string;
	/** How much, in raw; left out: as the payer likes. */
	amount?: bigint;
	/** Who asks. */
	label?: string;
	/** What for. */
	message?: string;
}

const ACCOUNT = /^nano_[13][13-9a-km-uw-z]{59}$/;
/** 2^128 - 1 raw, more than there is. */
const MOST = (1n << 128n) - 1n;

/** The text of a request; `undefined` if the account or the amount is none. */
export function writePaymentRequest(request: PaymentRequest): string | undefined {
	const { account, amount, label, message } = request;
	if (!ACCOUNT.test(account)) return undefined;
	if (amount !== undefined && (amount <= 0n || amount > MOST)) return undefined;
	const query = Object.entries({ amount: amount?.toString(), label, message })
		.filter((entry): entry is [string, string] => entry[1] !== undefined)
		.map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
	return `nano:${account}${query.length > 0 ? `?${query.join("&")}` : ""}`;
}

/** The request that a text is, if it is one. */
export function readPaymentRequest(text: string): PaymentRequest | undefined {
	const [start = "", query = ""] = text.split("?", 2);
	const account = start.startsWith("nano:") ? start.slice("nano:".length) : "";
	if (!ACCOUNT.test(account)) return undefined;
	const fields = new URLSearchParams(query.replaceAll("+", "%2B"));
	const [amount, label, message] = ["amount", "label", "message"].map((name) => fields.get(name));
	if (amount && !/^[1-9]\d{0,38}$/.test(amount)) return undefined;
	const raw = amount ? BigInt(amount) : undefined;
	if (raw !== undefined && raw > MOST) return undefined;
	return {
		account,
		...(raw === undefined ? {} : { amount: raw }),
		...(label ? { label } : {}),
		...(message ? { message } : {}),
	};
}
