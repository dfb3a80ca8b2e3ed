// How the panel in Dash's dev tools looks. In debug mode only.
(function () {
    "use strict";

    const menu = `
#dash-brain-panel-button path { fill: none; stroke: currentColor; stroke-width: 1.4; }
#dash-brain-panel-button:focus-visible { outline: 2px solid #7f4bc4; outline-offset: 2px; border-radius: 3px; }
`;

    const panel = `
:host {
  --ink: #1d1a26; --soft: #5c5768; --line: #e6e3ee; --paper: #ffffff; --raised: #f7f5fb; --accent: #7f4bc4;
  --track: #e9e3f4; --high: #a15c00; --full: #c02b2b; --chip: #efe9f8; --chip-ink: #5b2ea6;
  position: absolute; right: 0; bottom: 100%; display: block; color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :host {
    --ink: #ece9f3; --soft: #a9a3b8; --line: #37323f; --paper: #1d1a23; --raised: #26222e; --accent: #b794f4;
    --track: #3a3346; --high: #f0b45a; --full: #ff8b8b; --chip: #352c47; --chip-ink: #d6c3ff;
  }
}
* { box-sizing: border-box; }
section {
  display: flex; flex-direction: column; width: min(900px, calc(100vw - 2px)); max-height: calc(100vh - 72px); overflow: hidden;
  background: var(--paper); color: var(--ink); border: 1px solid var(--line); border-radius: 10px 0 0 0;
  box-shadow: 0 -2px 4px rgb(0 0 0 / 4%), 0 -12px 40px rgb(20 10 40 / 16%);
  font: 14px/1.45 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; text-align: left;
}
section:focus { outline: none; }
header { display: flex; align-items: baseline; gap: 12px; padding: 14px 12px 12px 20px; }
h2 { margin: 0; font-size: 16px; font-weight: 650; letter-spacing: -0.01em; }
header small { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; direction: rtl; text-align: left; }
header .action { align-self: center; }
small { color: var(--soft); font-size: 12px; }
.body { flex: 1; min-height: 0; overflow: auto; padding: 0 20px; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
.sums { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; margin-bottom: 16px; }
.meter, .figure { display: grid; gap: 2px; align-content: start; padding: 12px 14px; background: var(--raised); border-radius: 8px; }
.meter > span, .figure > span { color: var(--soft); font-size: 12px; }
.meter b, .figure b { font-size: 17px; font-weight: 600; letter-spacing: -0.01em; }
.track { height: 6px; margin-top: 7px; overflow: hidden; background: var(--track); border-radius: 3px; }
.track div { height: 100%; background: var(--accent); border-radius: 3px; transition: width 0.3s; }
.high .track div { background: var(--high); }
.full .track div { background: var(--full); }
.full b { color: var(--full); }
table { width: 100%; border-collapse: collapse; margin-bottom: 20px; table-layout: fixed; }
thead th, thead td { padding: 6px 8px; color: var(--soft); font-size: 12px; font-weight: 500; text-align: left; border-bottom: 1px solid var(--line); }
thead th:first-child { color: var(--ink); font-weight: 650; font-size: 13px; padding-left: 0; }
thead th:nth-child(1) { width: 27%; } thead th:nth-child(2) { width: 23%; } thead th:nth-child(3) { width: 90px; } thead th:nth-child(4) { width: 66px; } thead td { width: 76px; }
tbody th, tbody td { padding: 9px 8px; vertical-align: top; text-align: left; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { padding-left: 0; font-weight: 550; overflow-wrap: anywhere; }
.name { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.value small, tbody th small { display: block; font-weight: 400; }
.value { overflow-wrap: anywhere; }
.gone { color: var(--full); }
.none { color: var(--soft); }
.size, .age { white-space: nowrap; }
thead th:nth-child(3), thead th:nth-child(4), .size, .age { text-align: right; }
.chip { display: inline-block; margin: 0 4px 4px 0; padding: 1px 8px; border-radius: 9px; background: var(--chip); color: var(--chip-ink); font-size: 12px; }
.nobody { background: none; color: var(--soft); padding: 1px 0; }
.actions { text-align: right; padding: 4px 0 4px 4px; white-space: nowrap; }
.action { display: inline-grid; place-items: center; width: 30px; height: 30px; margin: 0 0 0 4px; padding: 0; border: 0; border-radius: 6px; background: none; color: var(--soft); cursor: pointer; }
.action:hover { background: var(--raised); color: var(--ink); }
.action:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.action[aria-disabled="true"] { cursor: not-allowed; }
.action[aria-disabled="true"] svg { opacity: 0.4; }
path { fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linecap: round; stroke-linejoin: round; }
.more { margin: -8px 0 20px; color: var(--soft); }
.empty { margin: 24px 0 32px; color: var(--soft); text-align: center; }
footer { padding: 8px 20px; border-top: 1px solid var(--line); font-size: 13px; }
footer:empty { height: 0; padding: 0; border: 0; }
.narrow { display: none; }
@media (max-width: 640px) {
  section { border-radius: 0; }
  header, .body, footer { padding-left: 14px; }
  .body { padding-right: 14px; }
  .sums { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .sums > :last-child:nth-child(odd) { grid-column: 1 / -1; }
  thead tr { display: block; border-bottom: 1px solid var(--line); }
  thead th:first-child { display: block; width: auto; border: 0; }
  thead th:not(:first-child), thead td { display: none; }
  tbody tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 10px; padding: 9px 0; border-bottom: 1px solid var(--line); }
  tbody tr:last-child { border: 0; }
  tbody th, tbody td { padding: 0; border: 0; }
  .size { grid-area: 1 / 2; } .value { grid-area: 2 / 1; } .age { grid-area: 2 / 2; color: var(--soft); }
  .holders { grid-area: 3 / 1; padding-top: 4px; } .actions { grid-area: 3 / 2; }
  .narrow { display: inline; }
}
@media (prefers-reduced-motion: reduce) { .track div { transition: none; } }
`;

    window.dash_brain.panelStyle = {menu, panel};
})();
