// The one way to the server: JSON under /api/v1, with the token of this session.

const token = document.querySelector('meta[name="token"]').content;

/** What the server refused: its status and the faults it tells. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail.map((fault) => fault.message || fault.msg).join(" ") || `The server answered ${status}.`);
    this.status = status;
    this.detail = detail;
  }
}

export async function call(method, path, body = undefined, signal = undefined) {
  let answer;
  try {
    answer = await send(method, path, body, signal);
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Refused(0, [{ severity: "error", message: "The workbench does not answer. Is the command still running in its terminal?" }]);
  }
  const kind = answer.headers.get("content-type") || "";
  const content = kind.includes("json") ? await answer.json() : null;
  if (!answer.ok) throw new Refused(answer.status, [content && content.detail ? content.detail : []].flat());
  return content;
}

/** A file that the server makes, as a blob. */
export async function fetched(path, body) {
  const answer = await send("POST", path, body);
  if (!answer.ok) {
    const content = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, [content.detail || []].flat());
  }
  return answer.blob();
}

function send(method, path, body, signal) {
  const headers = { "X-Community-Routes-Token": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return fetch(`/api/v1/${path}`, {
    method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin", cache: "no-store"
  });
}

export const post = (path, body, signal) => call("POST", path, body, signal);
