/* A panel as a uPlot chart. uPlot draws lines, bands, axes, cursor, legend and zoom; here is what it
 * lacks: stacking, marks, limits, labels at the lines, patterns, and the keyboard. */
"use strict";
const weirChart = (() => {
	const font = (size, weight = "") => `${weight} ${size}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
	const dashes = [[], [9, 4], [2, 3], [10, 3, 2, 3], [5, 2], [14, 4, 2, 4, 2, 4]];
	const borders = ["solid", "dashed", "dotted", "double", "dashed", "dotted"];
	const patterns = ["plain", "rising", "falling", "dots", "level", "cross"];
	const states = { booting: "rising", active: "plain", draining: "falling", flipping: "dots", failed: "cross" };
	const markSigns = { up: "▲", down: "▼", flip: "◆", fault: "✕" };
	const markWords = { up: "scaled up", down: "scaled down", flip: "changed pool", fault: "fault" };
	const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
		172800, 432000, 864000, 1728000, 4320000, 8640000];

	/* The colours are the style sheet's, by theme. */
	let colours = new Map();
	function colour(name) {
		if (!colours.has(name)) {
			colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
		}
		return colours.get(name);
	}

	const isTime = (panel) => panel.kind !== "cdf" && panel.kind !== "histogram" && panel.x.unit === "s" &&
		/time/i.test(panel.x.label);
	const isStacked = (panel, series) => panel.kind === "stack" && series.role !== "line";

	/* Colour, dash and pattern of each series. A pool, a state and a percentile look the same in every
	 * panel; dashes and patterns differ by their place, so that nothing rests on colour alone. */
	function looks(panel) {
		const taken = new Map();
		const pools = panel.series.map((series) => /\b(prompt|token|mixed)\b/i.exec(series.label));
		/* A pool's colour tells nothing where every series has it. */
		const tells = panel.series.length === 1 || new Set(pools.map((found) => found && found[0].toLowerCase())).size > 1;
		return panel.series.map((series, i) => {
			const label = series.label.toLowerCase();
			const pool = tells && pools[i];
			const state = /\b(booting|active|draining|flipping|failed)\b/.exec(label);
			const percentile = /\bp(\d+(\.\d+)?)\b/.exec(label);
			let name = `--k${i % 6 + 1}`;
			if (pool) {
				name = `--${pool[1].toLowerCase()}`;
			} else if (state) {
				name = `--${state[1]}`;
			} else if (percentile) {
				const rank = Number(percentile[1]);
				name = rank > 95 ? "--high" : rank > 60 ? "--middle" : "--low";
			}
			const edge = series.role === "band_low" || series.role === "band_high";
			const before = taken.get(name) || 0;
			taken.set(name, before + 1);
			return {
				colour: name, edge,
				dash: dashes[i % dashes.length],
				border: borders[i % borders.length],
				pattern: state ? states[state[1]] : patterns[(isStacked(panel, series) ? i : before) % patterns.length],
			};
		});
	}

	const made = new Map();
	function pattern(context, name, kind, ratio) {
		const key = `${colour(name)} ${kind} ${ratio}`;
		if (!made.has(key)) {
			const size = 8 * ratio;
			const tile = document.createElement("canvas");
			tile.width = tile.height = Math.round(size);
			const pen = tile.getContext("2d");
			pen.fillStyle = pen.strokeStyle = colour(name);
			pen.globalAlpha = kind === "plain" ? 0.42 : 0.16;
			pen.fillRect(0, 0, size, size);
			pen.globalAlpha = 0.75;
			pen.lineWidth = 1.1 * ratio;
			pen.beginPath();
			for (const shift of [-size, 0, size]) {
				if (kind === "rising" || kind === "cross") {
					pen.moveTo(shift, size);
					pen.lineTo(shift + size, 0);
				}
				if (kind === "falling" || kind === "cross") {
					pen.moveTo(shift, 0);
					pen.lineTo(shift + size, size);
				}
			}
			if (kind === "level") {
				pen.moveTo(0, size / 2);
				pen.lineTo(size, size / 2);
			}
			pen.stroke();
			if (kind === "dots") {
				pen.beginPath();
				pen.arc(size / 2, size / 2, 1.3 * ratio, 0, 7);
				pen.fill();
			}
			made.set(key, context.createPattern(tile, "repeat"));
		}
		return made.get(key);
	}

	/* The panel's columns as uPlot wants them: x rising and known, no value where a log has none. */
	function columns(panel) {
		const x = panel.x.values;
		const keep = [];
		for (let i = 0; i < x.length; i++) {
			if (Number.isFinite(x[i]) && !(panel.x.log && x[i] <= 0)) {
				keep.push(i);
			}
		}
		const data = [keep.map((i) => x[i])];
		for (const series of panel.series) {
			data.push(keep.map((i) => {
				/* A histogram may say where its last bin ends; the step is drawn up to there. */
				const at = panel.kind === "histogram" ? Math.min(i, series.values.length - 1) : i;
				const value = series.values[at];
				return Number.isFinite(value) && !(panel.y.log && value <= 0) ? value : null;
			}));
		}
		return data;
	}

	/* Sums from the bottom up over the series that are shown; a gap stays a gap. */
	function stacked(panel, raw, shown) {
		const total = new Float64Array(raw[0].length);
		return raw.map((column, k) => {
			if (k === 0 || !isStacked(panel, panel.series[k - 1]) || !shown(k)) {
				return column;
			}
			return column.map((value, i) => value === null ? null : (total[i] += value));
		});
	}

	function stackBands(panel, style, shown) {
		const bands = [];
		let below = 0;
		panel.series.forEach((series, i) => {
			if (isStacked(panel, series) && shown(i + 1)) {
				if (below > 0) {
					bands.push({ series: [i + 1, below], fill: (u) => pattern(u.ctx, style[i].colour, style[i].pattern, uPlot.pxRatio) });
				}
				below = i + 1;
			}
		});
		return bands;
	}

	function percentileBands(panel, style) {
		const lows = [];
		const highs = [];
		panel.series.forEach((series, i) => {
			if (series.role === "band_low") {
				lows.push(i + 1);
			} else if (series.role === "band_high") {
				highs.push(i + 1);
			}
		});
		return highs.slice(0, lows.length).map((high, k) => ({
			series: [high, lows[k]],
			fill: () => tint(style[high - 1].colour, 0.16),
		}));
	}

	function tint(name, alpha) {
		return colour(name) + Math.round(alpha * 255).toString(16).padStart(2, "0");
	}

	/* Values that stand alone between gaps: a line would not show them. */
	function alone(column) {
		const found = [];
		for (let i = 0; i < column.length; i++) {
			if (column[i] !== null && (i === 0 || column[i - 1] === null) &&
				(i === column.length - 1 || column[i + 1] === null)) {
				found.push(i);
			}
		}
		return found;
	}

	const limitsOn = (panel, axis) => (panel.limits || []).filter((limit) => limit.axis === axis && Number.isFinite(limit.value));

	function rangeY(panel) {
		return (u, low, high) => {
			if (panel.kind === "cdf") {
				return [0, panel.y.unit === "%" ? 100 : 1];
			}
			if (low === null || high === null) {
				return panel.y.log ? [1, 10] : [0, 1];
			}
			/* A limit is shown unless the data would be a flat line below it. */
			for (const limit of limitsOn(panel, "y")) {
				if (limit.value > high && limit.value <= 2.5 * high) {
					high = limit.value;
				}
			}
			if (panel.y.log) {
				return [low / 1.4, high * 1.4];
			}
			const room = 0.08 * (high - Math.min(low, 0));
			return [low < 0 ? low - room : 0, high > 0 ? high + room : low < 0 ? 0 : 1];
		};
	}

	function rangeX(panel, data) {
		const x = data[0];
		const limits = limitsOn(panel, "x").map((limit) => limit.value);
		let [low, high] = [x[0], x[x.length - 1]];
		for (const value of limits) {
			if (value > high && value <= (panel.x.log ? 20 : 2) * high) {
				high = value * (panel.x.log ? 1.15 : 1.02);
			}
		}
		if (low === high) {
			[low, high] = panel.x.log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
		}
		return [low, high];
	}

	/* Steps that are round in the unit that is shown; whole numbers have no steps between them. */
	function roundSteps(factor, column) {
		const least = column.every((value) => value === null || Number.isInteger(value)) ? 1 : 0;
		const steps = [];
		for (let power = -9; power <= 12; power++) {
			for (const digit of [1, 2, 5]) {
				const step = digit * factor * 10 ** power;
				if (step >= least) {
					steps.push(step);
				}
			}
		}
		return steps;
	}

	/* An axis's name with its unit, unless they are the same word. */
	function named(axis, as) {
		const unit = (as.before || "") + (as.after || "");
		return axis.log || unit === "" || unit === axis.label ? axis.label : `${axis.label}, ${unit}`;
	}

	function axes(panel, data, full) {
		const size = (column) => column.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
		const common = {
			stroke: () => colour("--muted"), font: font(11.5), labelFont: font(11.5), labelGap: 2,
			grid: { stroke: () => colour("--grid"), width: 1 },
			ticks: { stroke: () => colour("--grid"), width: 1, size: 4 },
			border: { show: true, stroke: () => colour("--rule"), width: 1 },
		};
		/* Lines at the powers of ten only. */
		const logGrid = { grid: { ...common.grid, filter: (u, splits) => splits.map((v) => Number.isInteger(Math.log10(v)) ? v : null) } };
		const asX = weirFormat.scale(panel.x.unit, full[1]);
		const longest = full[1];
		const x = isTime(panel) ? {
			incrs: [0.001, 0.01, 0.1, 0.2, 0.5, ...timeSteps],
			values: (u, splits, i, gap, step) => splits.map((time) => weirFormat.clock(time, step, longest)),
			label: (u, i, step) => `${panel.x.label}, ${weirFormat.clockName(step, longest)}`,
			space: 60,
		} : {
			values: (u, splits) => splits.map((v) => v === null ? "" : panel.x.log ? weirFormat.power(v, panel.x.unit)
				: weirFormat.number(v / asX.factor)),
			label: named(panel.x, asX),
			space: 56,
			...(panel.x.log ? logGrid : { incrs: roundSteps(asX.factor, data[0]) }),
		};
		const shown = panel.kind === "stack" ? stacked(panel, data, () => true) : data;
		const most = shown.slice(1).reduce((found, column) => Math.max(found, size(column)), 0);
		const asY = weirFormat.scale(panel.y.unit, most);
		const y = {
			values: (u, splits) => splits.map((v) => v === null ? "" : panel.y.log ? weirFormat.power(v, panel.y.unit)
				: weirFormat.number(v / asY.factor)),
			size: (u, values) => {
				u.ctx.font = font(11.5);
				const widest = (values || []).reduce((found, text) => Math.max(found, u.ctx.measureText(text).width), 0);
				return Math.ceil(widest) + 14;
			},
			label: named(panel.y, asY),
			space: 34,
			...(panel.y.log ? logGrid : { incrs: roundSteps(asY.factor, panel.kind === "cdf" ? [0.5] : data.slice(1).flat()) }),
		};
		return [{ ...common, ...x, size: 30, labelSize: 20 }, { ...common, ...y, labelSize: 20 }];
	}

	function halo(u, text, x, y, fill) {
		u.ctx.lineJoin = "round";
		u.ctx.lineWidth = 3.5 * uPlot.pxRatio;
		u.ctx.strokeStyle = colour("--card");
		u.ctx.strokeText(text, x, y);
		u.ctx.fillStyle = fill;
		u.ctx.fillText(text, x, y);
	}

	/* The lines that a value should stay below, with what they are called. */
	function drawLimits(u, panel) {
		const { ctx, bbox } = u;
		const ratio = uPlot.pxRatio;
		const right = bbox.left + bbox.width;
		const bottom = bbox.top + bbox.height;
		ctx.save();
		ctx.strokeStyle = colour("--limit");
		ctx.lineWidth = 1.4 * ratio;
		ctx.setLineDash([6 * ratio, 3 * ratio, 1.5 * ratio, 3 * ratio]);
		ctx.font = font(11.5 * ratio, 600);
		for (const limit of limitsOn(panel, "y")) {
			const text = `${limit.label} (${weirFormat.quantity(limit.value, panel.y.unit)})`;
			const at = u.valToPos(limit.value, "y", true);
			ctx.textAlign = "right";
			if (at < bbox.top) {
				ctx.textBaseline = "top";
				halo(u, `↑ ${text}`, right - 6 * ratio, bbox.top + 4 * ratio, colour("--limit"));
			} else if (at <= bottom) {
				ctx.beginPath();
				ctx.moveTo(bbox.left, at);
				ctx.lineTo(right, at);
				ctx.strokeStyle = colour("--limit");
				ctx.lineWidth = 1.4 * ratio;
				ctx.stroke();
				ctx.setLineDash([]);
				ctx.textBaseline = at - 18 * ratio < bbox.top ? "top" : "bottom";
				halo(u, text, right - 6 * ratio, at + (ctx.textBaseline === "top" ? 4 : -3) * ratio, colour("--limit"));
				ctx.setLineDash([6 * ratio, 3 * ratio, 1.5 * ratio, 3 * ratio]);
			}
		}
		limitsOn(panel, "x").forEach((limit, row) => {
			const at = u.valToPos(limit.value, "x", true);
			if (at < bbox.left || at > right) {
				return;
			}
			ctx.beginPath();
			ctx.moveTo(at, bbox.top);
			ctx.lineTo(at, bottom);
			ctx.strokeStyle = colour("--limit");
			ctx.lineWidth = 1.4 * ratio;
			ctx.stroke();
			ctx.setLineDash([]);
			const text = `${limit.label} (${weirFormat.quantity(limit.value, panel.x.unit)})`;
			const fits = at + ctx.measureText(text).width + 12 * ratio < right;
			ctx.textAlign = fits ? "left" : "right";
			ctx.textBaseline = "bottom";
			halo(u, text, at + (fits ? 6 : -6) * ratio, bottom - (6 + 16 * row) * ratio, colour("--limit"));
			ctx.setLineDash([6 * ratio, 3 * ratio, 1.5 * ratio, 3 * ratio]);
		});
		ctx.restore();
	}

	const marksIn = (u, panel) => (panel.marks || []).filter((mark) => mark.at >= u.scales.x.min && mark.at <= u.scales.x.max);

	/* Thin lines under the data, while there are few enough to be told apart. */
	function drawMarkLines(u, panel) {
		const marks = marksIn(u, panel);
		const ratio = uPlot.pxRatio;
		if (marks.length === 0 || marks.length > u.bbox.width / ratio / 6) {
			return;
		}
		u.ctx.save();
		u.ctx.strokeStyle = colour("--mark");
		u.ctx.globalAlpha = 0.45;
		u.ctx.lineWidth = ratio;
		u.ctx.setLineDash([ratio, 3 * ratio]);
		u.ctx.beginPath();
		for (const mark of marks) {
			const at = Math.round(u.valToPos(mark.at, "x", true));
			u.ctx.moveTo(at, u.bbox.top);
			u.ctx.lineTo(at, u.bbox.top + u.bbox.height);
		}
		u.ctx.stroke();
		u.ctx.restore();
	}

	/* Their signs above the plot. */
	function drawMarkSigns(u, panel) {
		const ratio = uPlot.pxRatio;
		u.ctx.save();
		u.ctx.font = font(10.5 * ratio);
		u.ctx.textAlign = "center";
		u.ctx.textBaseline = "middle";
		for (const mark of marksIn(u, panel)) {
			u.ctx.fillStyle = colour(mark.kind === "fault" ? "--limit" : "--ink");
			u.ctx.fillText(markSigns[mark.kind] || "●", u.valToPos(mark.at, "x", true),
				u.bbox.top - 8 * ratio);
		}
		u.ctx.restore();
	}

	const markKinds = (panel) => [...new Set((panel.marks || []).map((mark) => mark.kind))];

	const isLabelled = (panel, i) => panel.series.length > 1 && panel.kind !== "histogram" && !isStacked(panel, panel.series[i]);

	/* The series' names where their lines end; in a CDF on the curves, which all end at the top. */
	function drawLabels(u, panel, style) {
		const ratio = uPlot.pxRatio;
		const [from, to] = [u.series[0].idxs[0], u.series[0].idxs[1]];
		const labels = [];
		panel.series.forEach((series, i) => {
			if (!isLabelled(panel, i) || !u.series[i + 1].show) {
				return;
			}
			const column = u.data[i + 1];
			let at = to;
			if (panel.kind === "cdf") {
				const most = panel.y.unit === "%" ? 100 : 1;
				at = from;
				while (at < to && !(column[at] >= most * (0.35 + 0.45 * (i + 0.5) / panel.series.length))) {
					at++;
				}
			} else {
				while (at > from && (column[at] === null || u.data[0][at] > u.scales.x.max)) {
					at--;
				}
			}
			if (column[at] === null || column[at] === undefined) {
				return;
			}
			const y = u.valToPos(column[at], "y", true);
			labels.push({ text: series.label, colour: colour(style[i].colour), x: u.valToPos(u.data[0][at], "x", true),
				y: Math.min(Math.max(y, u.bbox.top), u.bbox.top + u.bbox.height) });
		});
		u.ctx.save();
		u.ctx.font = font(11.5 * ratio, 600);
		u.ctx.textBaseline = "middle";
		u.ctx.textAlign = "left";
		if (panel.kind === "cdf") {
			/* The leftmost has room on its left. */
			labels.sort((a, b) => a.x - b.x).forEach((label, i) => {
				const left = i === 0 && label.x - u.ctx.measureText(label.text).width - 12 * ratio > u.bbox.left;
				u.ctx.textAlign = left ? "right" : "left";
				halo(u, label.text, label.x + (left ? -8 : 8) * ratio, label.y + (left ? -4 : 5) * ratio, label.colour);
			});
		} else {
			const right = u.bbox.left + u.bbox.width + 6 * ratio;
			for (const label of apart(labels, 14 * ratio, u.bbox)) {
				u.ctx.fillStyle = label.colour;
				u.ctx.fillText(label.text, right, label.y);
			}
		}
		u.ctx.restore();
	}

	/* Moves labels from each other, from the bottom up, then back down from the top. */
	function apart(labels, step, bbox) {
		labels.sort((a, b) => b.y - a.y);
		for (let i = 1; i < labels.length; i++) {
			labels[i].y = Math.min(labels[i].y, labels[i - 1].y - step);
		}
		let least = bbox.top;
		for (let i = labels.length - 1; i >= 0; i--) {
			labels[i].y = Math.max(labels[i].y, least);
			least = labels[i].y + step;
		}
		return labels;
	}

	/* The names of areas, each where it is thickest. */
	function drawAreaLabels(u, panel) {
		const ratio = uPlot.pxRatio;
		const [from, to] = [u.series[0].idxs[0], u.series[0].idxs[1]];
		u.ctx.save();
		u.ctx.font = font(11.5 * ratio, 600);
		u.ctx.textAlign = "center";
		u.ctx.textBaseline = "middle";
		let below = null;
		panel.series.forEach((series, i) => {
			if (!isStacked(panel, series) || !u.series[i + 1].show) {
				return;
			}
			const top = u.data[i + 1];
			const bottom = (at) => below === null ? 0 : below[at] || 0;
			const half = u.ctx.measureText(series.label).width / 2 + 4 * ratio;
			const thick = (at) => top[at] === null ? 0 : u.valToPos(bottom(at), "y", true) - u.valToPos(top[at], "y", true);
			let most = 0;
			for (let at = from; at <= to; at++) {
				most = Math.max(most, thick(at));
			}
			/* The longest stretch that is nearly as thick; a step lasts to the next value. */
			let best = null;
			for (let at = from; most > 16 * ratio && at <= to; at++) {
				const begin = at;
				while (at <= to && thick(at) >= 0.8 * most) {
					at++;
				}
				const ends = [u.data[0][begin], u.data[0][Math.min(at, to)]].map((value) => u.valToPos(value, "x", true));
				if (at > begin && (best === null || ends[1] - ends[0] > best.ends[1] - best.ends[0])) {
					best = { ends, middle: (begin + at - 1) >> 1 };
				}
			}
			if (best !== null) {
				const x = (best.ends[0] + best.ends[1]) / 2;
				const y = (u.valToPos(bottom(best.middle), "y", true) + u.valToPos(top[best.middle], "y", true)) / 2;
				halo(u, series.label, Math.min(Math.max(x, u.bbox.left + half), u.bbox.left + u.bbox.width - half), y, colour("--ink"));
			}
			below = top;
		});
		u.ctx.restore();
	}

	const valueText = (axis, value) => weirFormat.quantity(value, axis.unit, 4);
	const placeText = (panel, value) => isTime(panel) ? weirFormat.clock(value, value % 60 === 0 ? 60 : 1, Math.max(value, 120))
		: valueText(panel.x, value);

	/* What the cursor is at, in words. */
	function spoken(u, panel, raw) {
		const at = u.cursor.idx;
		if (at === null || at === undefined) {
			return "";
		}
		const parts = panel.series.map((series, i) => u.series[i + 1].show ? `${series.label} ${valueText(panel.y, raw[i + 1][at])}` : "");
		const marks = (panel.marks || []).filter((mark) => u.valToIdx(mark.at) === at).map((mark) => mark.label);
		return [`${panel.x.label} ${placeText(panel, raw[0][at])}`, ...parts.filter(Boolean), ...marks].join(", ");
	}

	/*
	 * Draws a panel into `element`. `group` keeps panels zoomed alike (weirChart.group()), `onCursor`
	 * is called when the cursor moves. Returns {u, full, raw, zoom, step}, or null when there is
	 * nothing to draw.
	 */
	function draw(panel, element, width, height, group, onCursor) {
		const raw = columns(panel);
		if (raw[0].length === 0 || raw.slice(1).every((column) => column.every((value) => value === null))) {
			return null;
		}
		const style = looks(panel);
		const full = rangeX(panel, raw);
		const everything = () => true;
		const step = panel.kind === "steps" || panel.kind === "histogram" || panel.kind === "stack";
		const paths = step ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
		let labelWidth = 0;
		const pen = document.createElement("canvas").getContext("2d");
		pen.font = font(11.5, 600);
		panel.series.forEach((series, i) => {
			if (isLabelled(panel, i) && panel.kind !== "cdf") {
				labelWidth = Math.max(labelWidth, pen.measureText(series.label).width + 10);
			}
		});
		const chart = { full, raw, panel };
		const shownAs = (u, value, k, at) => at === null || at === undefined ? "" : valueText(panel.y, raw[k][at]);
		const lowest = (i) => panel.series.findIndex((series) => isStacked(panel, series)) === i;
		const series = panel.series.map((one, i) => ({
			label: one.label, value: shownAs, paths,
			width: style[i].edge ? 1.4 : isStacked(panel, one) ? 1.2 : 1.8,
			stroke: () => colour(style[i].colour),
			dash: isStacked(panel, one) ? [] : style[i].dash,
			fill: panel.kind === "histogram" ? () => tint(style[i].colour, 0.18)
				: lowest(i) ? (u) => pattern(u.ctx, style[i].colour, style[i].pattern, uPlot.pxRatio) : undefined,
			points: { show: true, filter: (u, k) => step ? [] : alone(u.data[k]), size: 5, width: 1.5,
				stroke: () => colour(style[i].colour), fill: () => colour("--card") },
		}));
		const options = {
			width, height, series: [{ label: panel.x.label, value: (u, value) => value === null ? "" : placeText(panel, value) }, ...series],
			padding: [markKinds(panel).length > 0 ? 18 : 10, labelWidth > 0 ? Math.min(Math.ceil(labelWidth), 130) : 14, 0, 0],
			scales: {
				x: { time: false, distr: panel.x.log ? 3 : 1, range: (u, low, high) => raw[0].length === 1 || (low === raw[0][0] && high === raw[0][raw[0].length - 1]) ? full : [low, high] },
				y: { distr: panel.y.log ? 3 : 1, range: rangeY(panel) },
			},
			axes: axes(panel, raw, full),
			bands: panel.kind === "stack" ? stackBands(panel, style, everything) : percentileBands(panel, style),
			legend: {
				markers: {
					width: (u, k) => isStacked(panel, panel.series[k - 1]) ? 1.5 : 2.5,
					stroke: (u, k) => `var(${style[k - 1].colour})`,
					dash: (u, k) => isStacked(panel, panel.series[k - 1]) ? "solid" : style[k - 1].border,
					fill: () => "none",
				},
			},
			cursor: {
				y: false, drag: { x: true, y: false, setScale: true, dist: 6 },
				points: { size: 8, width: 2, fill: () => colour("--card"), stroke: (u, k) => colour(style[k - 1].colour) },
				sync: group ? { key: group.key, setSeries: false, scales: ["x", null],
					filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } } : undefined,
			},
			hooks: {
				drawAxes: [(u) => drawMarkLines(u, panel)],
				draw: [(u) => {
					drawMarkSigns(u, panel);
					drawLimits(u, panel);
					drawAreaLabels(u, panel);
					drawLabels(u, panel, style);
				}],
				setCursor: [(u) => {
					u.root.classList.toggle("idle", u.cursor.idx === null || u.cursor.idx === undefined || u.cursor.left < 0);
					onCursor(chart);
				}],
				setScale: [(u, key) => {
					if (key === "x" && u.status === 1) {
						chart.zoomed(u.scales.x.min, u.scales.x.max);
					}
				}],
				setSeries: [(u, k, change) => {
					if (k !== null && change.show !== undefined) {
						chart.restack();
					}
				}],
				ready: [(u) => {
					u.root.classList.add("idle");
					chart.u = u;
					if (group && group.range) {
						u.setScale("x", group.range);
					}
				}],
			},
		};

		chart.restack = () => {
			const u = chart.u;
			nameToggles(u);
			if (panel.kind !== "stack") {
				return;
			}
			const shown = (k) => u.series[k].show;
			u.batch(() => {
				u.delBand(null);
				stackBands(panel, style, shown).forEach((band) => u.addBand(band));
				const first = panel.series.findIndex((one, i) => isStacked(panel, one) && shown(i + 1));
				panel.series.forEach((one, i) => {
					if (isStacked(panel, one)) {
						u.series[i + 1].fill = i === first ? () => pattern(u.ctx, style[i].colour, style[i].pattern, uPlot.pxRatio) : () => null;
					}
				});
				const { min, max } = u.scales.x;
				u.setData(stacked(panel, raw, shown), false);
				u.setScale("x", { min, max });
			});
		};
		chart.zoomed = (min, max) => {
			const whole = min <= full[0] && max >= full[1];
			if (group) {
				group.zoom(whole ? null : { min, max });
			} else {
				chart.isZoomed = !whole;
			}
		};
		/* Zooms to a range within the data, or to all of it with null. */
		chart.zoom = (range) => {
			const [low, high] = range || full;
			chart.u.setScale("x", { min: Math.max(low, full[0]), max: Math.min(high, full[1]) });
		};

		chart.u = new uPlot(options, panel.kind === "stack" ? stacked(panel, raw, everything) : raw, element);
		if (group) {
			group.charts.add(chart);
		}
		patternMarkers(chart.u, panel, style);
		makeToggles(chart.u);
		return chart;
	}

	/* The legend's markers of areas show the pattern. */
	function patternMarkers(u, panel, style) {
		const markers = u.root.querySelectorAll(".u-series .u-marker");
		panel.series.forEach((series, i) => {
			const marker = markers[markers.length - panel.series.length + i];
			marker.classList.add(isStacked(panel, series) || panel.kind === "histogram" ? "area" : "line");
			if (isStacked(panel, series)) {
				marker.dataset.pattern = style[i].pattern;
				marker.style.setProperty("--own", `var(${style[i].colour})`);
			}
		});
	}

	/* Legend entries are buttons, for the keyboard too. */
	function makeToggles(u) {
		u.root.querySelectorAll(".u-series:not(:first-child) th").forEach((head) => {
			head.tabIndex = 0;
			head.setAttribute("role", "button");
			head.title = "Show or hide";
			head.addEventListener("keydown", (event) => {
				if (event.key === "Enter" || event.key === " ") {
					event.preventDefault();
					event.stopPropagation();
					head.click();
				}
			});
		});
		nameToggles(u);
	}

	function nameToggles(u) {
		u.root.querySelectorAll(".u-series:not(:first-child) th").forEach((head, i) => {
			head.setAttribute("aria-pressed", String(u.series[i + 1].show));
		});
	}

	/* Arrow keys move the cursor, with shift by ten; + and - zoom around it, 0 shows everything. */
	function press(chart, key, shift) {
		const { u, full } = chart;
		const x = u.data[0];
		const { min, max } = u.scales.x;
		const idle = u.cursor.idx === null || u.cursor.idx === undefined || u.cursor.left < 0;
		let at = idle ? null : u.cursor.idx;
		const first = u.valToIdx(min);
		const last = u.valToIdx(max);
		const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
		if (key in moves) {
			const by = moves[key] * (shift ? 10 : 1);
			at = by === -Infinity ? first : by === Infinity ? last : at === null ? (by > 0 ? first : last) : at + by;
			at = Math.min(Math.max(at, 0), x.length - 1);
			if (x[at] < min || x[at] > max) {
				const move = x[at] < min ? x[at] - min : x[at] - max;
				u.setScale("x", { min: min + move, max: max + move });
				u.batch(() => {});
			}
			place(u, at);
		} else if (key === "+" || key === "=" || key === "-") {
			const log = u.scales.x.distr === 3;
			const to = log ? Math.log : (v) => v;
			const back = log ? Math.exp : (v) => v;
			const middle = at === null ? (to(min) + to(max)) / 2 : to(x[at]);
			const factor = key === "-" ? 2 : 0.5;
			chart.zoom([back(middle - (middle - to(min)) * factor), back(middle + (to(max) - middle) * factor)]);
			if (at !== null) {
				queueMicrotask(() => place(u, at));
			}
		} else if (key === "0") {
			chart.zoom(null);
		} else if (key === "Escape") {
			u.setCursor({ left: -10, top: -10 });
		} else {
			return false;
		}
		return full !== null;
	}

	function place(u, at) {
		u.setCursor({ left: Math.max(0, u.valToPos(u.data[0][at], "x")), top: u.over.clientHeight / 2 });
	}

	/* Panels that share a time: zoomed alike, also those that are drawn later. */
	function group(key, onZoom) {
		const self = { key, charts: new Set(), range: null };
		self.zoom = (range) => {
			const same = range === null ? self.range === null
				: self.range !== null && range.min === self.range.min && range.max === self.range.max;
			if (same) {
				return;
			}
			self.range = range;
			for (const chart of self.charts) {
				const { min, max } = chart.u.scales.x;
				const [low, high] = range === null ? chart.full : [range.min, range.max];
				if (min !== low || max !== high) {
					chart.u.setScale("x", { min: low, max: high });
				}
			}
			onZoom(self);
		};
		return self;
	}

	/* After a change of theme. */
	function recolour(charts) {
		colours = new Map();
		for (const chart of charts) {
			chart.u.redraw(false, true);
		}
	}

	return { draw, group, isTime, markKinds, markSigns, markWords, marksIn, placeText, press, recolour, spoken, valueText };
})();
