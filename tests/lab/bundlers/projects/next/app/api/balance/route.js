import { ask } from "../../../app.js";

export const dynamic = "force-dynamic";

// The server itself runs a node, too.
export async function GET(request) {
	const { searchParams } = new URL(request.url);
	return Response.json(await ask(searchParams.get("bridge"), searchParams.get("account")));
}
