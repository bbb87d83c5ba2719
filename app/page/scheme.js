// Light or dark, before anything is drawn: as the person chose here, else as the system has it. No module, since those
// wait for the document.

{
  const STORED = "glm-api scheme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem(STORED); } catch { return null; } };
  const apply = () => { root.dataset.scheme = stored() ?? (system.matches ? "dark" : "light"); };

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (event.target.id !== "scheme") return;
    const chosen = root.dataset.scheme === "dark" ? "light" : "dark";
    const isSystems = chosen === (system.matches ? "dark" : "light");
    try { isSystems ? localStorage.removeItem(STORED) : localStorage.setItem(STORED, chosen); } catch { /* for this time, then */ }
    root.dataset.scheme = chosen;
  });
}
