// Files the declaration of a file, follows it until it is final, and prints its states; then files it broken and prints the status.
// Called with the gateway's address, a key, and the file. What is asked and answered has the types of the contract.
import createClient from "openapi-fetch";
import type { components, paths } from "./contract.js";

declare const process: { argv: string[] };

type Declaration = components["schemas"]["Declaration"];

const [url, key, file] = process.argv.slice(2);
const { readFileSync } = await import("node:fs" as string);
const document: Declaration = JSON.parse(readFileSync(file, "utf8"));
const api = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

const filed = await api.POST("/v1/declarations", { body: document });
if (!filed.data || !("id" in filed.data)) throw new Error(JSON.stringify(filed.error));
const path = { declaration_id: filed.data.id };

const states: Record<string, string> = {};
const until = Date.now() + 60_000;
for (let final = false; !final || states.release !== "released"; ) {
  const { data, error } = await api.GET("/v1/declarations/{declaration_id}", { params: { path } });
  if (!data) throw new Error(error.detail);
  for (const one of data.standing?.states ?? []) states[one.track] = one.state;
  final = data.standing?.final ?? false;
  if (Date.now() > until) throw new Error(`not final: ${JSON.stringify(states)}`);
  await new Promise((resolve) => setTimeout(resolve, 50));
}

const broken = await api.POST("/v1/declarations", { body: { ...document, form_type_code: "not a type" } });
console.log(JSON.stringify({
  declaration: states.declaration, release: states.release, refused: broken.error?.status,
}));
