"use strict";
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; });

  for (const button of document.querySelectorAll("button.print")) {
    button.hidden = false;
    button.addEventListener("click", () => { root.dataset.print = button.dataset.print; print(); });
  }
  addEventListener("afterprint", () => { delete root.dataset.print; });

  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = "data:" + type + ";charset=utf-8," + encodeURIComponent(text);
    link.download = name;
    link.click();
  };
  const json = document.getElementById("save-json");
  if (json) {
    json.hidden = false;
    json.addEventListener("click", () => save("report.json", "application/json", document.getElementById("dachlast-data").textContent));
  }

  const field = (cell) => {
    const text = cell.dataset.v ?? cell.dataset.s ?? cell.textContent.replace(/\u00a0/g, " ");
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  };
  const csvOf = (table) => {
    const head = [...table.tHead.rows[0].cells].map((c) => c.dataset.key);
    return [head.join(","), ...[...table.tBodies[0].rows].map((r) => [...r.cells].map(field).join(","))].join("\r\n") + "\r\n";
  };
  for (const button of document.querySelectorAll("button.csv")) {
    button.hidden = false;
    button.addEventListener("click", () => save(button.dataset.table + ".csv", "text/csv",
      csvOf(document.getElementById("table-" + button.dataset.table))));
  }

  const value = (row, column) => row.cells[column].dataset.v === undefined
    ? row.cells[column].textContent : Number(row.cells[column].dataset.v);
  const compare = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
  for (const head of document.querySelectorAll("section:not(#configuration) thead th")) {
    head.style.cursor = "pointer";
    head.tabIndex = 0;
    const sort = () => {
      const body = head.closest("table").tBodies[0];
      const sign = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const rows = [...body.rows];
      rows.sort((a, b) => sign * compare(value(a, head.cellIndex), value(b, head.cellIndex)));
      body.append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (e) => { if (e.key === "Enter") sort(); });
  }

  const light = (datum, on) => {
    for (const row of document.querySelectorAll("tr[data-datum]"))
      if (row.dataset.datum === datum) row.classList.toggle("lit", on);
  };
  for (const hit of document.querySelectorAll(".hit")) {
    hit.addEventListener("mouseenter", () => light(hit.dataset.datum, true));
    hit.addEventListener("mouseleave", () => light(hit.dataset.datum, false));
  }
})();
