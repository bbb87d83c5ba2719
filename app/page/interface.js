// The interfaces by which one chat can be asked: what the page sent, as a request of each. A new one begins anew.

const MAX_TOKENS = 8192; // Messages wants a number

export const CHAT_PATH = "/v1/chat/completions";

/** Path -> name, and what makes its body of the chat's. */
export const INTERFACES = {
  [CHAT_PATH]: ["Chat Completions", (body) => body],
  "/v1/responses": ["Responses", toResponses],
  "/v1/messages": ["Messages", toMessages],
};

function toResponses({ model, stream, messages, reasoning_effort: effort, web_search: searches }) {
  const input = messages.map(({ role, content }) => ({ role, content: mapParts(content, toInputPart) }));
  return {
    model, ...(stream && { stream }), input,
    ...(effort && { reasoning: { effort } }), ...(searches && { tools: [{ type: "web_search" }] }),
  };
}

function toInputPart({ type, text, image_url: image, file }) {
  if (type === "text") return { type: "input_text", text };
  return image ? { type: "input_image", image_url: image.url } : { type: "input_file", ...file };
}

function toMessages({ model, stream, messages, reasoning_effort: effort, web_search: searches }) {
  return {
    model, max_tokens: MAX_TOKENS, ...(stream && { stream }),
    messages: messages.map(({ role, content }) => ({ role, content: mapParts(content, toBlock) })),
    ...(effort && { thinking: { type: "enabled", budget_tokens: MAX_TOKENS / 2 } }),
    ...(searches && { tools: [{ type: "web_search_20250305", name: "web_search" }] }),
  };
}

function toBlock({ type, text, image_url: image, file }) {
  if (type === "text") return { type, text };
  return image ? { type: "image", source: toSource(image.url) } : { type: "document", title: file.filename, source: toSource(file.file_data) };
}

/** Files of the page are `data:` URLs in base64. */
function toSource(url) {
  const [head, data] = url.split(",", 2);
  return { type: "base64", media_type: head.replace(/^data:|;base64$/g, ""), data };
}

const mapParts = (content, change) => typeof content === "string" ? content : content.map(change);
