// Files that the person saves.

/** Offers a file for saving. */
export function save(name: string, data: Blob): void {
	const url = URL.createObjectURL(data);
	const link = document.createElement("a");
	link.href = url;
	link.download = name;
	link.click();
	// The browser reads it after the click has returned.
	setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
