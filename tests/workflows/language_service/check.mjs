// Asks GitHub's language service about workflows and actions, with the packages of the folder that it is run in.
//
// standard input:  {"files": {name: text}, "actions": {"owner/name": {input: {...}}}}
// standard output: {name: ["line 3: what is wrong", ...]}
import { readFileSync } from "node:fs";
import { register } from "node:module";

// The packages import JSON as bundlers understand it; Node wants to be told that it is JSON.
const hook = `
  import { readFileSync } from "node:fs";
  import { fileURLToPath } from "node:url";
  export async function load(url, context, next) {
    if (!url.endsWith(".json")) return next(url, context);
    const source = "export default " + readFileSync(fileURLToPath(url), "utf8");
    return { format: "module", shortCircuit: true, source };
  }
`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const { registerLogger, validate } = await import("@actions/languageservice");
const { TextDocument } = await import("vscode-languageserver-textdocument");

// What goes wrong within the service is logged there and then counts as nothing found.
const logged = [];
const note = (message) => logged.push(message);
registerLogger({ error: note, warn: note, info() {}, log() {} });

const { files, actions } = JSON.parse(readFileSync(0, "utf8"));
const actionsMetadataProvider = {
  async fetchActionMetadata({ owner, name }) {
    return { name, description: "", inputs: actions[`${owner}/${name}`] };
  },
};

const found = {};
for (const [name, text] of Object.entries(files)) {
  const document = TextDocument.create(`file:///repository/${name}`, "yaml", 1, text);
  const complaints = await validate(document, { actionsMetadataProvider });
  found[name] = complaints.map(({ range, message }) => `line ${range.start.line + 1}: ${message}`);
}
if (logged.length) throw new Error(logged.join("\n"));
console.log(JSON.stringify(found));
