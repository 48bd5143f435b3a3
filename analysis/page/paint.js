/* How things look, and what is painted over the charts that uPlot draws: limits, marks, names. */
"use strict";
const weirPaint = (() => {
	const font = (size, weight = "") => `${weight} ${size}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
	const dashes = [[], [9, 4], [2, 3], [10, 3, 2, 3], [5, 2], [14, 4, 2, 4, 2, 4]];
	const borders = ["solid", "dashed", "dotted", "double", "dashed", "dotted"];
	const patterns = ["plain", "rising", "falling", "dots", "level", "cross"];
	const states = { booting: "rising", active: "plain", draining: "falling", flipping: "dots", failed: "cross" };
	const markSigns = { up: "▲", down: "▼", flip: "◆", fault: "✕" };
	const markWords = { up: "scaled up", down: "scaled down", flip: "changed pool", fault: "fault" };

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

	function tint(name, alpha) {
		return colour(name) + Math.round(alpha * 255).toString(16).padStart(2, "0");
	}

	const limitsOn = (panel, axis) => (panel.limits || []).filter((limit) => limit.axis === axis && Number.isFinite(limit.value));

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
		ctx.font = font(12 * ratio, 600);
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
		u.ctx.font = font(11 * ratio);
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
		u.ctx.font = font(12 * ratio, 600);
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
		u.ctx.font = font(12 * ratio, 600);
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

	/* After a change of theme the colours are read anew. */
	function forget() {
		colours = new Map();
	}

	return {
		colour, drawAreaLabels, drawLabels, drawLimits, drawMarkLines, drawMarkSigns, font, forget, isLabelled, isStacked,
		isTime, limitsOn, looks, markKinds, markSigns, markWords, marksIn, pattern, tint,
	};
})();
