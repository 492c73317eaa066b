"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const [search, owner, state, shown, empty, table] = ["search", "owner", "state", "shown", "empty", "users"].map(find);
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const chips = [...document.querySelectorAll(".chip")];
  const collator = new Intl.Collator("en", { numeric: true });
  const number = new Intl.NumberFormat("en");
  const rows = [...body.rows].map((element) => ({
    element,
    text: [...element.cells].map((cell) => cell.textContent).join(" ").toLowerCase(),
    kinds: new Set(element.dataset.f.split(" ")),
  }));
  let finding = "";

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element, text, kinds } of rows) {
      const matches =
        (!owner.value || (element.dataset.o || "none") === owner.value) &&
        (!state.value || element.dataset.s === state.value) &&
        (!finding || kinds.has(finding)) &&
        words.every((word) => text.includes(word));
      if (element.hidden === matches) element.hidden = !matches;
      if (matches) count += 1;
    }
    for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.dataset.finding === finding));
    shown.value = count === rows.length ? `${number.format(count)} users` : `${number.format(count)} of ${number.format(rows.length)} users`;
    empty.hidden = count > 0;
  }

  function sort(column) {
    const heading = headings[column];
    const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const isNumber = "number" in heading.dataset;
    const keyed = rows.map((row) => {
      const cell = row.element.cells[column];
      const value = cell.dataset.v ?? cell.textContent;
      return { row, key: isNumber ? Number(value) : value };
    });
    keyed.sort((a, b) => sign * (isNumber ? a.key - b.key : collator.compare(a.key, b.key)));
    for (const each of headings) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    body.remove(); // rows move fast where nothing is shown
    body.append(...keyed.map(({ row }) => row.element));
    table.append(body);
  }

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(column));
    heading.replaceChildren(button);
  });
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      finding = finding === chip.dataset.finding ? "" : chip.dataset.finding;
      filter();
    });
  }
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(filter, 80);
  });
  for (const field of [owner, state]) field.addEventListener("change", filter);
  find("reset").addEventListener("click", () => {
    search.value = owner.value = state.value = finding = "";
    filter();
    search.focus();
  });
  document.documentElement.classList.add("scripted");
  filter(); // a browser restores the fields after a reload
})();
