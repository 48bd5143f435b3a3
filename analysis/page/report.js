/* The page of one or more runs, made from the payload: what was run and the verdict, panels by
 * section, tables, config. It shows what the payload says, and computes none of it. */
"use strict";
(() => {
	const payload = JSON.parse(document.getElementById("payload").textContent);
	const order = ["Load", "Latency", "Pools", "Instances", "Loads", "Memory", "Network", "Power and cost", "Learning"];
	const chartHeight = 230;
	const printWidth = 660;
	const main = document.getElementById("main");
	const nav = document.getElementById("sections");
	const speech = document.getElementById("spoken");
	/* What the shown run has drawn, and what it has still to draw when it is scrolled to. */
	let charts = new Set();
	let waiting = new Map();
	let watchers = [];
	let groupCount = 0;

	function make(name, attributes, ...children) {
		const element = document.createElement(name);
		for (const [key, value] of Object.entries(attributes || {})) {
			if (key.startsWith("on")) {
				element.addEventListener(key.slice(2), value);
			} else if (value !== false && value !== null && value !== undefined) {
				element.setAttribute(key, value === true ? "" : value);
			}
		}
		element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
		return element;
	}

	const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-");

	/* Light or dark: what the reader chose, else what the system asks for; paper is light. */
	const looksOfTheme = ["auto", "light", "dark"];
	const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
	let theme = "auto";
	let printing = false;
	try {
		theme = looksOfTheme.find((one) => one === localStorage.getItem("weir-theme")) || "auto";
	} catch {
		/* A page opened from disk may have no storage: then each opening starts as the system has it. */
	}
	function applyTheme() {
		const dark = !printing && (theme === "dark" || (theme === "auto" && systemDark.matches));
		document.documentElement.dataset.look = dark ? "dark" : "light";
		const button = document.getElementById("theme");
		const [sign, name] = { auto: ["◐", "Auto"], light: ["○", "Light"], dark: ["●", "Dark"] }[theme];
		button.textContent = `${sign} ${name}`;
		button.setAttribute("aria-label", `Theme: ${name}. Press to change.`);
		weirChart.recolour(charts);
	}
	document.getElementById("theme").addEventListener("click", () => {
		theme = looksOfTheme[(looksOfTheme.indexOf(theme) + 1) % looksOfTheme.length];
		try {
			localStorage.setItem("weir-theme", theme);
		} catch {
			/* As above. */
		}
		applyTheme();
	});
	systemDark.addEventListener("change", applyTheme);
	document.getElementById("print").addEventListener("click", () => window.print());

	/* Above the fold. */
	function overview(run) {
		const good = run.verdict.good;
		const [kind, sign, word] = good === true ? ["good", "✓", "Met:"] : good === false ? ["bad", "✕", "Missed:"] : ["open", "–", "No verdict:"];
		const made = new Date(payload.made);
		const when = Number.isNaN(made.getTime()) ? payload.made : `${made.toISOString().slice(0, 16).replace("T", " ")} UTC`;
		return make("section", { id: "overview", "aria-labelledby": "run-name" },
			payload.runs.length > 1 ? runChoice(run) : null,
			make("p", { class: "origin" }, `${run.file} · report of ${when} · weir ${payload.weir}`),
			make("h1", { id: "run-name" }, run.name),
			run.partial ? make("p", { class: "banner", role: "note" }, make("strong", {}, "Partial record. "), run.partial) : null,
			make("p", { class: `verdict ${kind}` }, make("span", { class: "sign", "aria-hidden": "true" }, sign),
				make("span", {}, make("span", { class: "unseen" }, `${word} `), run.verdict.text)),
			(run.figures || []).length > 0 ? make("ul", { class: "tiles", "aria-label": "Main figures" }, run.figures.map(tile)) : null,
			make("dl", { class: "facts", "aria-label": "What was run" }, (run.facts || []).map((fact) =>
				make("div", { class: String(fact.value).length > 70 ? "wide" : null }, make("dt", {}, fact.label), make("dd", {}, String(fact.value))))));
	}

	function tile(figure) {
		const named = figure.label.toLowerCase() === figure.unit ? "" : figure.unit;
		const text = weirFormat.quantity(figure.value, named, figure.digits || 4);
		const [value, ...unit] = text.includes("×") ? [text] : text.split("\u202f");
		return make("li", {}, make("span", { class: "label" }, figure.label),
			make("span", { class: "value" }, value, unit.length > 0 ? make("small", {}, unit.join("\u202f")) : null),
			figure.hint ? make("span", { class: "hint" }, figure.hint) : null);
	}

	function runChoice(shown) {
		if (payload.runs.length > 6) {
			const select = make("select", { id: "run", onchange: () => show(payload.runs[select.selectedIndex]) },
				payload.runs.map((run) => make("option", { selected: run === shown }, run.name)));
			return make("p", { class: "runs" }, make("label", { for: "run" }, "Run"), select);
		}
		return make("div", { class: "runs", role: "group", "aria-label": "Run" }, `${payload.runs.length} runs:`,
			payload.runs.map((run) => make("button", {
				type: "button", "aria-pressed": String(run === shown),
				onclick: () => {
					show(run);
					main.querySelector(".runs button[aria-pressed=true]").focus();
				},
			}, run.name)));
	}

	/* Panels of one section; those over time share one group. */
	function section(title, panels) {
		const id = `section-${slug(title)}`;
		const range = make("span", { class: "range" });
		const reset = make("button", { type: "button", hidden: true, onclick: () => group.zoom(null) }, "Reset zoom");
		const group = weirChart.group(`weir-${groupCount++}`, ({ range: zoomed }) => {
			reset.hidden = zoomed === null;
			range.textContent = zoomed === null ? "" : `${weirFormat.clock(zoomed.min, 1, zoomed.max)} to ${weirFormat.clock(zoomed.max, 1)}${zoomed.max < 120 ? " s" : ""}`;
		});
		return make("section", { id, class: "part", "aria-labelledby": `${id}-title` },
			make("header", {}, make("h2", { id: `${id}-title` }, title), range, reset),
			make("div", { class: "panels" }, panels.map((panel) => figure(panel, weirChart.isTime(panel) ? group : null))));
	}

	function figure(panel, group) {
		const kinds = weirChart.markKinds(panel);
		const legend = kinds.map((kind) => `${weirChart.markSigns[kind] || "●"} ${weirChart.markWords[kind] || kind} (${panel.marks.filter((mark) => mark.kind === kind).length})`).join("   ");
		const marks = kinds.length > 0 ? make("p", { class: "marks" }, legend) : null;
		const holder = make("div", {
			class: "chart", tabindex: "0", role: "group", "aria-roledescription": "chart",
			"aria-label": `${panel.title}. Arrow keys read the values, plus and minus zoom, 0 shows everything.`,
		});
		const details = make("details", {}, make("summary", {}, "Values as a table"));
		details.addEventListener("toggle", () => {
			if (details.open && details.childElementCount === 1) {
				details.append(...valueTables(panel));
			}
		});
		const card = make("article", { class: "panel", id: `panel-${slug(panel.id)}`, "data-kind": panel.kind },
			make("h3", {}, panel.title), make("p", { class: "note" }, panel.note || ""), holder, marks, details);
		waiting.set(holder, () => {
			const width = holder.clientWidth;
			const chart = weirChart.draw(panel, holder, width, chartHeight, group, (moved) => {
				if (marks) {
					marks.textContent = marksAt(moved) || legend;
				}
			});
			if (chart === null) {
				holder.classList.add("empty");
				holder.removeAttribute("tabindex");
				holder.textContent = "Nothing to draw: no values were recorded.";
				details.remove();
				return;
			}
			charts.add(chart);
			chart.holder = holder;
			holder.addEventListener("keydown", (event) => {
				if (event.target !== holder || event.ctrlKey || event.metaKey || event.altKey) {
					return;
				}
				if (weirChart.press(chart, event.key, event.shiftKey)) {
					event.preventDefault();
					setTimeout(() => {
						speech.textContent = weirChart.spoken(chart.u, panel, chart.raw);
					}, 80);
				}
			});
			resizes.observe(holder);
		});
		sights.observe(holder);
		return card;
	}

	/* The marks within a few pixels of the cursor. */
	function marksAt({ u, panel }) {
		if (!u || u.cursor.left < 0) {
			return "";
		}
		const near = weirChart.marksIn(u, panel).filter((mark) => Math.abs(u.valToPos(mark.at, "x") - u.cursor.left) <= 7);
		return near.map((mark) => `${weirChart.markSigns[mark.kind] || "●"} ${mark.label} at ${weirChart.placeText(panel, mark.at)}`).join("   ");
	}

	function valueTables(panel) {
		const columns = [{ name: panel.x.label, unit: panel.x.unit }, ...panel.series.map((series) => ({ name: series.label, unit: panel.y.unit }))];
		const rows = panel.x.values.map((x, i) => [x, ...panel.series.map((series) => series.values[i])]);
		const tables = [scrolling(`Values of ${panel.title}`, dataTable(columns, rows))];
		if ((panel.marks || []).length > 0) {
			tables.push(scrolling(`Marks of ${panel.title}`, dataTable([{ name: panel.x.label, unit: panel.x.unit }, { name: "mark" }],
				panel.marks.map((mark) => [mark.at, mark.label]))));
		}
		return tables;
	}

	const scrolling = (label, table) => make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);

	/* Columns of numbers stand right; the first column names the row. */
	function dataTable(columns, rows) {
		const words = columns.map((column, k) => rows.some((row) => typeof row[k] === "string"));
		const name = (k) => words[k] ? "words" : null;
		return make("table", { class: "data" },
			make("thead", {}, make("tr", {}, columns.map((column, k) => make("th", { scope: "col", class: name(k) }, column.name,
				column.unit && column.unit !== "1" ? make("small", {}, ` ${column.unit}`) : null)))),
			make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell, k) =>
				make(k === 0 ? "th" : "td", { scope: k === 0 ? "row" : null, class: name(k) },
					typeof cell === "number" || cell === null || cell === undefined ? weirFormat.number(cell, columns[k].digits || 5) : String(cell)))))));
	}

	/* Draws a chart when it is about to be seen. */
	const sights = new IntersectionObserver((entries) => {
		for (const entry of entries) {
			if (entry.isIntersecting) {
				drawWaiting(entry.target);
			}
		}
	}, { rootMargin: "200px" });

	function drawWaiting(holder) {
		const drawIt = waiting.get(holder);
		waiting.delete(holder);
		sights.unobserve(holder);
		if (drawIt) {
			drawIt();
		}
	}

	const resizes = new ResizeObserver(() => {
		if (!printing) {
			fit();
		}
	});

	/* Charts as wide as their place, or as the paper. */
	function fit(width) {
		for (const chart of charts) {
			const to = width || chart.holder.clientWidth;
			if (to > 0 && to !== chart.u.width) {
				chart.u.setSize({ width: to, height: chartHeight });
			}
		}
	}

	window.addEventListener("beforeprint", () => {
		printing = true;
		[...waiting.keys()].forEach(drawWaiting);
		fit(printWidth);
		applyTheme();
	});
	window.addEventListener("afterprint", () => {
		printing = false;
		fit();
		applyTheme();
	});

	/* The link of the section in sight. */
	function watchSections() {
		const links = [...nav.querySelectorAll("a")];
		const spy = new IntersectionObserver((entries) => {
			for (const entry of entries) {
				if (entry.isIntersecting) {
					for (const link of links) {
						if (link.hash === `#${entry.target.id}`) {
							link.setAttribute("aria-current", "true");
							nav.scrollLeft = link.offsetLeft - nav.offsetLeft - nav.clientWidth / 2;
						} else {
							link.removeAttribute("aria-current");
						}
					}
				}
			}
		}, { rootMargin: "-15% 0px -80% 0px" });
		links.forEach((link) => spy.observe(document.getElementById(link.hash.slice(1))));
		watchers.push(spy);
	}

	function show(run) {
		charts.forEach((chart) => chart.u.destroy());
		watchers.forEach((watcher) => watcher.disconnect());
		sights.disconnect();
		resizes.disconnect();
		charts = new Set();
		waiting = new Map();
		watchers = [];
		document.title = `${run.name} · weir report`;

		const bySection = new Map(order.map((title) => [title, []]));
		for (const panel of run.panels || []) {
			bySection.set(panel.section, [...(bySection.get(panel.section) || []), panel]);
		}
		const parts = [...bySection].filter(([, panels]) => panels.length > 0);
		const links = [["Overview", "overview"], ...parts.map(([title]) => [title, `section-${slug(title)}`])];
		const tables = run.tables || [];
		if (tables.length > 0) {
			links.push(["Tables", "tables"]);
		}
		if (run.config) {
			links.push(["Config", "config"]);
		}
		nav.replaceChildren(...links.map(([title, id]) => make("a", { href: `#${id}` }, title)));
		main.replaceChildren(
			overview(run),
			make("div", { id: "charts", tabindex: "-1" }, parts.length > 0 ? parts.map(([title, panels]) => section(title, panels))
				: make("p", { class: "how" }, "There are no charts: nothing that could be drawn was recorded.")),
			tables.length > 0 ? make("section", { id: "tables", class: "part", "aria-labelledby": "tables-title" },
				make("header", {}, make("h2", { id: "tables-title" }, "Tables")),
				tables.map((table) => make("div", { class: "table", id: `table-${slug(table.id)}` }, make("h3", {}, table.title),
					scrolling(table.title, dataTable(table.columns, table.rows))))) : "",
			run.config ? make("section", { id: "config", class: "part config", "aria-labelledby": "config-title" },
				make("header", {}, make("h2", { id: "config-title" }, "Config")),
				make("details", {}, make("summary", {}, `Everything that was set, defaults included (${run.config.split("\n").length} lines)`),
					make("pre", { tabindex: "0", role: "region", "aria-label": "Config" }, run.config))) : "",
			make("footer", {}, make("p", { class: "keys" }, "In a chart: drag to zoom, double click to see everything, click a name to hide it. With the keyboard: ",
				make("kbd", {}, "←"), " ", make("kbd", {}, "→"), " read values (with ", make("kbd", {}, "Shift"), " by ten), ", make("kbd", {}, "+"), " ",
				make("kbd", {}, "−"), " zoom, ", make("kbd", {}, "0"), " everything, ", make("kbd", {}, "Esc"), " leaves."),
			make("p", {}, `Written by weir ${payload.weir}. The page holds everything it shows and loads nothing. Charts: uPlot, MIT licence.`)));
		watchSections();
	}

	applyTheme();
	show(payload.runs[0]);
	document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
