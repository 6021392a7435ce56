// The script of the report page filters, sorts and pages the rows in the page. It sends no request, and creates only
// elements and text nodes, never markup.
(() => {
  const { states, rows: packed, texts } = JSON.parse(document.getElementById("rows").textContent);
  const names = Object.fromEntries(
    [...document.querySelectorAll("#filters [name=state] option")].map(({ value, text }) => [value, text]),
  );
  const rows = packed.map(
    ([
      state,
      cluster,
      namespace,
      name,
      source,
      code,
      meaning,
      why,
      advice,
      command,
      version,
      written,
      effective,
    ]) => ({
      state: states[state],
      rank: state,
      cluster: texts[cluster],
      namespace: texts[namespace],
      name,
      source: texts[source],
      code: texts[code],
      why: [texts[meaning], texts[why]].filter(Boolean).join(" "),
      advice: texts[advice],
      command,
      version,
      written,
      effective,
      words: "",
    }),
  );
  for (const row of rows) {
    const { cluster, namespace, name, source, code, why, advice, version, effective } = row;
    const title = `${cluster}/${namespace}/${name}`;
    row.words = [title, source, version, code, names[row.state], why, advice, effective]
      .join("\n")
      .toLowerCase();
  }

  const form = document.getElementById("filters");
  const fields = form.elements;
  const body = document.getElementById("body");
  const found = document.getElementById("found");
  const pages = document.getElementById("pages");
  const FIELDS = ["q", "state", "cluster", "namespace", "source", "code"];
  const PAGE_SIZE = 50;
  let shown = rows;
  let page = 0;
  let sort = { by: "state", down: false };

  /** @returns {HTMLElement} */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function choose(select, values) {
    const chosen = select.value;
    const options = [...new Set(values)].filter((value) => value !== "").sort();
    select.replaceChildren(make("option", { value: "" }, "Any"));
    for (const value of options) select.append(make("option", { value }, value));
    select.value = options.includes(chosen) ? chosen : "";
  }

  function chooseNamespaces() {
    const cluster = fields.cluster.value;
    choose(
      fields.namespace,
      rows.filter((row) => cluster === "" || row.cluster === cluster).map((row) => row.namespace),
    );
  }

  /** Shows only the first few matches, since a list of ten thousand does not help. */
  function suggestSources() {
    const typed = fields.source.value.toLowerCase();
    const matching = new Set();
    for (const { source } of rows) {
      if (matching.size === 30) break;
      if (source.toLowerCase().includes(typed)) matching.add(source);
    }
    document
      .getElementById("sources")
      .replaceChildren(...[...matching].map((value) => make("option", { value })));
  }

  const ORDERS = {
    state: (a, b) => a.rank - b.rank,
    name: (a, b) =>
      compare(a.name, b.name) || compare(a.namespace, b.namespace) || compare(a.cluster, b.cluster),
    source: (a, b) => compare(a.source, b.source),
    written: (a, b) => a.written - b.written,
  };
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  function filter() {
    const wanted = Object.fromEntries(FIELDS.map((name) => [name, fields[name].value]));
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const source = wanted.source.toLowerCase();
    shown = rows.filter(
      (row) =>
        (wanted.state === "" || row.state === wanted.state) &&
        (wanted.cluster === "" || row.cluster === wanted.cluster) &&
        (wanted.namespace === "" || row.namespace === wanted.namespace) &&
        (wanted.code === "" || row.code === wanted.code) &&
        row.source.toLowerCase().includes(source) &&
        words.every((word) => row.words.includes(word)),
    );
    if (sort.by !== "state" || sort.down) {
      const order = ORDERS[sort.by];
      shown.sort(sort.down ? (a, b) => order(b, a) : order);
    }
    page = 0;
    remember(wanted);
    draw();
  }

  /** Keeps the view in the address, so that readers who have the file can share it. */
  function remember(wanted) {
    const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== "")).toString();
    try {
      history.replaceState(null, "", query === "" ? "#" : `#?${query}`);
    } catch {
      // Some viewers do not allow this for a local file. The page works without it.
    }
  }

  function apply(query) {
    const wanted = new URLSearchParams(query);
    for (const name of FIELDS) {
      if (name === "namespace") chooseNamespaces();
      fields[name].value = wanted.get(name) ?? "";
    }
    filter();
  }

  function draw() {
    const count = shown.length.toLocaleString("en-GB");
    const all = rows.length.toLocaleString("en-GB");
    found.textContent = shown.length === rows.length ? `${all} Secrets` : `${count} of ${all} Secrets`;
    const start = page * PAGE_SIZE;
    body.replaceChildren(...shown.slice(start, start + PAGE_SIZE).map(rowOf));
    if (shown.length === 0) {
      const message = make(
        "td",
        { role: "cell", colspan: "5", class: "nothing" },
        "No Secret matches. Clear a filter.",
      );
      body.append(make("tr", { role: "row" }, message));
    }
    drawPages();
    drawSort();
  }

  /** The same row as in page.ts. */
  function rowOf(row) {
    const version = make("td", { role: "cell" });
    if (row.version !== "") {
      const short = row.version.length > 12 ? `${row.version.slice(0, 8)}…` : row.version;
      version.append(make("code", { title: row.version }, short));
    }
    if (row.written > 0) version.append(make("span", {}, instantOf(row.written * 1_000)));
    if (row.effective !== "") version.append(make("span", {}, row.effective));
    const why = make("td", { role: "cell" });
    if (row.code !== "") why.append(make("code", {}, row.code), " ");
    why.append(row.why);
    if (row.advice !== "") why.append(make("span", {}, row.advice));
    if (row.command !== "") why.append(make("span", {}, make("code", {}, row.command)));
    return make(
      "tr",
      { role: "row" },
      make("td", { role: "cell" }, make("span", { class: `badge tone-${row.state}` }, names[row.state])),
      make(
        "th",
        { role: "rowheader", scope: "row" },
        make("b", {}, row.name),
        make("span", {}, `${row.namespace} · ${row.cluster}`),
      ),
      make("td", { role: "cell" }, row.source),
      version,
      why,
    );
  }

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  /** The same format as instantOf in terminal/format.ts. */
  function instantOf(at) {
    const date = new Date(at);
    const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
    return `${day}, ${date.toISOString().slice(11, 19)} UTC`;
  }

  function drawPages() {
    const last = Math.max(0, Math.ceil(shown.length / PAGE_SIZE) - 1);
    const focused = pages.contains(document.activeElement) ? document.activeElement.dataset.go : undefined;
    const button = (name, label, to) => {
      const element = make("button", { type: "button", "data-go": name, "aria-label": label }, name);
      element.disabled = to < 0 || to > last || to === page;
      element.addEventListener("click", () => {
        page = to;
        draw();
      });
      return element;
    };
    const first = shown.length === 0 ? 0 : page * PAGE_SIZE + 1;
    const upTo = Math.min(shown.length, (page + 1) * PAGE_SIZE);
    pages.replaceChildren(
      button("First", "First page", 0),
      button("Previous", "Previous page", page - 1),
      make("span", {}, `${first.toLocaleString("en-GB")}–${upTo.toLocaleString("en-GB")}`),
      button("Next", "Next page", page + 1),
      button("Last", "Last page", last),
    );
    pages.hidden = last === 0;
    if (focused === undefined) return;
    // With the keyboard, the focus stays in the navigation, even if the button is now disabled.
    const same = pages.querySelector(`[data-go="${focused}"]`);
    (same?.disabled === false ? same : pages.querySelector("button:not(:disabled)"))?.focus();
  }

  function drawSort() {
    for (const header of document.querySelectorAll("[data-sort]")) {
      const isSorted = header.dataset.sort === sort.by;
      if (isSorted) header.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    }
  }

  function makeSortable() {
    for (const header of document.querySelectorAll("[data-sort]")) {
      const by = header.dataset.sort;
      const button = make("button", { type: "button" }, header.textContent);
      button.addEventListener("click", () => {
        sort = { by, down: sort.by === by && !sort.down };
        filter();
      });
      header.replaceChildren(button);
    }
  }

  function makeLinksFilter() {
    for (const link of document.querySelectorAll("a[data-filter]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        apply(link.dataset.filter);
        const section = document.getElementById("targets");
        section.scrollIntoView();
        section.focus({ preventScroll: true });
      });
    }
  }

  function makeCommandsCopyable() {
    for (const button of document.querySelectorAll("button.copy")) {
      const command = button.previousElementSibling;
      button.hidden = false;
      button.addEventListener("click", async () => {
        const isCopied = await navigator.clipboard.writeText(command.textContent).then(
          () => true,
          () => false,
        );
        // Some viewers allow no access to the clipboard. The reader can then copy what is selected.
        if (!isCopied) getSelection().selectAllChildren(command);
        button.textContent = isCopied ? "Copied" : "Selected";
        setTimeout(() => {
          button.textContent = "Copy";
        }, 2_000);
      });
    }
  }

  function makeThemeChoosable() {
    const button = document.getElementById("theme");
    const THEMES = [
      ["", "system"],
      ["light", "light"],
      ["dark", "dark"],
    ];
    let at = 0;
    const show = () => {
      const [theme, name] = THEMES[at];
      document.documentElement.style.colorScheme = theme;
      button.textContent = `Theme: ${name}`;
    };
    button.addEventListener("click", () => {
      at = (at + 1) % THEMES.length;
      show();
    });
    button.hidden = false;
    show();
  }

  choose(
    fields.cluster,
    rows.map((row) => row.cluster),
  );
  choose(
    fields.code,
    rows.map((row) => row.code),
  );
  chooseNamespaces();
  suggestSources();
  makeSortable();
  makeLinksFilter();
  makeCommandsCopyable();
  makeThemeChoosable();
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => apply("")));
  form.addEventListener("input", ({ target }) => {
    if (target === fields.cluster) chooseNamespaces();
    if (target === fields.source) suggestSources();
    filter();
  });
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#?")) apply(location.hash.slice(2));
  });
  apply(location.hash.startsWith("#?") ? location.hash.slice(2) : "");
})();
