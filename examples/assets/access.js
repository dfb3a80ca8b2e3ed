/* For the keyboard and for screen readers: what Dash's components leave out.
 *
 * React keeps the attributes that are set here until it changes them itself; then they are set anew.
 */
(() => {
  const all = (selector) => document.querySelectorAll(selector);

  function set(node, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null ? node.hasAttribute(name) : node.getAttribute(name) !== value) {
        value === null ? node.removeAttribute(name) : node.setAttribute(name, value);
      }
    }
  }

  /* A dropdown takes the focus with a hidden input that has no name, and is named by its value alone. */
  function mendDropdowns() {
    for (const button of all("button.dash-dropdown")) {
      const label = document.querySelector(`label[for="${button.id}"]`);
      if (label) {
        label.id ||= `${button.id}-label`;
        set(button, { "aria-labelledby": `${label.id} ${button.id}-value` });
      }
      set(button, { tabindex: "0" });
    }
    for (const input of all(".dash-dropdown-focus-target")) set(input, { tabindex: "-1" });
  }

  function mendChoices() {
    for (const list of all(".dash-radioitems")) set(list, { role: "radiogroup", "aria-label": list.id });
    for (const option of all(".dash-radioitems label")) set(option, { role: null, "aria-selected": null });
    for (const wrapper of all(".dash-datepicker-input-wrapper")) {
      set(wrapper, { "aria-expanded": null, "aria-haspopup": null, "aria-labelledby": null, "aria-disabled": null });
    }
    for (const slider of all(".dash-slider-thumb[aria-label]")) {
      const label = slider.closest(".dash-slider-container").id;
      if (!slider.ariaLabel.startsWith(label)) set(slider, { "aria-label": `${label}, ${slider.ariaLabel}` });
    }
  }

  function mendTables() {
    for (const turn of ["first", "previous", "next", "last"]) {
      for (const button of all(`button.${turn}-page`)) set(button, { "aria-label": `${turn} page` });
    }
    for (const input of all("input.current-page")) set(input, { "aria-label": "page" });
    for (const sort of all(".column-header--sort")) {
      const name = sort.closest("th").innerText.trim();
      set(sort, { role: "button", tabindex: "0", "aria-label": `sort by ${name}` });
    }
    for (const rows of all(".dash-spreadsheet-container .row")) {
      set(rows, rows.scrollWidth > rows.clientWidth ? { tabindex: "0" } : {});
    }
  }

  /* The input of an upload has no name, and lies over the button that has one. */
  function mendUploads() {
    for (const input of all("input[type=file]")) set(input, { "aria-label": input.parentElement.innerText.trim(), tabindex: "-1" });
  }

  const mend = () => [mendDropdowns, mendChoices, mendTables, mendUploads].forEach((part) => part());

  /* A DataTable takes Tab for its cells; of one whose cells cannot be selected nothing would ever get out. */
  document.addEventListener("keydown", (event) => {
    const sort = event.target.closest?.(".column-header--sort");
    if (event.key === "Tab" && event.target.closest?.(".dash-table-container")) event.stopImmediatePropagation();
    if (sort && ["Enter", " "].includes(event.key)) {
      event.preventDefault();
      sort.click();
    }
  }, { capture: true });

  document.addEventListener("DOMContentLoaded", () => {
    let planned = false;
    const plan = () => {
      if (!planned) requestAnimationFrame(() => ((planned = false), mend()));
      planned = true;
    };
    const attributeFilter = ["role", "aria-selected", "aria-expanded", "aria-labelledby"];
    new MutationObserver(plan).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter });
    plan();
  });
})();
