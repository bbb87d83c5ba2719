// The API reference: Swagger UI on what this gateway says of itself. A token given here stays in this tab's memory.

const root = document.documentElement;
const follow = () => root.classList.toggle("dark-mode", root.dataset.scheme === "dark");
follow();
new MutationObserver(follow).observe(root, { attributeFilter: ["data-scheme"] });

window.SwaggerUIBundle({
  url: new URL("../openapi.json", import.meta.url).href,
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  persistAuthorization: false,
  // A badge that asks a server elsewhere.
  validatorUrl: null,
});
