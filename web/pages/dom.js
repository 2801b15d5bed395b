// Making elements. Everything is set as text or attribute, never as HTML: what a server answers cannot become markup.

/** An element with attributes and children: `el("p", { class: "hint" }, "text", el("code", {}, "x"))`. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      element.addEventListener(key.slice(2), value);
    } else if (value === true) {
      element.setAttribute(key, "");
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(key, value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button that copies what `text()` says, and says that it did. */
export function copyButton(label, text) {
  const button = el("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Could not copy";
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

/** The little markdown that descriptions use: paragraphs, lists, `code`, **strong**, [links](…). */
export function prose(text) {
  const blocks = (text ?? "").trim().split(/\n\s*\n/).filter(Boolean);
  return blocks.map((block) => {
    const lines = block.split("\n");
    if (lines.every((line) => /^\s*[-*] /.test(line))) {
      return el("ul", {}, lines.map((line) => el("li", {}, inline(line.replace(/^\s*[-*] /, "")))));
    }
    return el("p", {}, inline(lines.join(" ")));
  });
}

/** The same within one line. */
export function inline(text) {
  const pieces = (text ?? "").split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/);
  return pieces.filter(Boolean).map((piece) => {
    if (piece.startsWith("`") && piece.length > 2) return el("code", {}, piece.slice(1, -1));
    if (piece.startsWith("**")) return el("strong", {}, piece.slice(2, -2));
    const link = /^\[([^\]]+)\]\(((?:https?:\/\/|\/|#)[^)\s]*)\)$/.exec(piece);
    return link ? el("a", { href: link[2] }, link[1]) : piece;
  });
}
