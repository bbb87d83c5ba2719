// The API reference: Swagger UI on what this gateway says of itself. A token given here stays in this tab's memory.

const root = document.documentElement;
const follow = () => root.classList.toggle("dark-mode", root.dataset.scheme === "dark");
follow();
new MutationObserver(follow).observe(root, { attributeFilter: ["data-scheme"] });

// The description says that the server is where it was found itself; people are shown which address that is.
const place = new URL("../openapi.json", import.meta.url);
const description = await (await fetch(place)).json();
description.servers = [{ url: new URL(".", place).href.slice(0, -1) }];

window.SwaggerUIBundle({
  spec: description,
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  persistAuthorization: false,
  // A badge that asks a server elsewhere.
  validatorUrl: null,
});
