/* Numbers for people: values with a unit and a prefix, and times. */
"use strict";
const weirFormat = (() => {
	const space = "\u202f";
	const thousands = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
	const binary = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]];
	const seconds = [[172800, "d", 86400], [14400, "h", 3600], [600, "min", 60], [1, "s", 1], [1e-3, "ms", 1e-3],
		[0, "µs", 1e-6]];
	const prefixed = /^(W|J|Wh|Hz|FLOP|FLOP\/s|bit\/s|b\/s)$/;
	const bytes = /^(B|bytes?)(\/.*)?$/;
	const money = /^(\$|USD)(\/.*)?$/;

	/* How values of this size are written: {factor, before, after, gap}, one for a whole axis. */
	function scale(unit, size) {
		const magnitude = Math.abs(size);
		if (unit === "s") {
			const [, name, factor] = seconds.find(([least]) => magnitude >= least);
			return magnitude === 0 ? { factor: 1, after: "s" } : { factor, after: name };
		}
		const ofBytes = bytes.exec(unit);
		if (ofBytes) {
			const [factor, name] = binary.find(([least]) => magnitude >= least) || [1, "B"];
			return { factor, after: name + (ofBytes[2] || "") };
		}
		const ofMoney = money.exec(unit);
		const [factor, prefix] = thousands.find(([least]) => magnitude >= least) || [1, ""];
		if (prefixed.test(unit)) {
			return { factor, after: prefix + unit };
		}
		if (ofMoney) {
			return { factor: 1, before: "$", after: ofMoney[2] || "", close: true };
		}
		if (unit === "%") {
			return { factor: 1, after: "%" };
		}
		const name = unit === "1" || unit === "fraction" || unit === undefined ? "" : unit;
		if (magnitude < (Number.isInteger(size) && !name.includes("/") ? 1e7 : 1e4)) {
			return { factor: 1, after: name };
		}
		return { factor, after: [prefix, name].filter(Boolean).join(" ") };
	}

	/* A bare number with so many significant digits, but never fewer than its whole part has; `all`
	 * keeps zeros at the end, unless it is whole. */
	function number(value, digits = 4, all = false) {
		if (value === null || value === undefined || Number.isNaN(value)) {
			return "–";
		}
		if (!Number.isFinite(value)) {
			return value > 0 ? "∞" : "−∞";
		}
		const magnitude = Math.abs(value);
		if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e15)) {
			const [mantissa, exponent] = value.toExponential(Math.max(digits - 1, 0)).split("e");
			const raised = [...String(Number(exponent))].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");
			return `${Number(mantissa)}${space}×${space}10${raised}`.replace("-", "−");
		}
		const whole = magnitude < 1 ? 1 : Math.floor(Math.log10(magnitude)) + 1;
		const most = Math.min(Math.max(digits, whole), 21);
		return value.toLocaleString("en-US", { minimumSignificantDigits: all && !Number.isInteger(value) ? most : 1,
			maximumSignificantDigits: most }).replace("-", "−");
	}

	/* A value with its unit: "123 ms", "$4.20/h", "83 %". */
	function quantity(value, unit, digits) {
		if (typeof value !== "number") {
			return value === null || value === undefined ? "–" : String(value);
		}
		const as = scale(unit, value);
		if (as.before && Math.abs(value) >= 0.1 && Math.abs(value) < 1e6) {
			return withUnit(value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }), as);
		}
		return withUnit(number(value / as.factor, digits, digits !== undefined), as);
	}

	/* A mark on a logarithmic axis: seconds stay seconds. */
	function power(value, unit) {
		return unit === "s" && value >= 1 ? `${number(value)}${space}s` : quantity(value, unit, 1);
	}

	function withUnit(text, as) {
		return (as.before || "") + text + (as.after ? (as.close ? "" : space) + as.after : "");
	}

	const two = (value) => String(value).padStart(2, "0");

	/* A time as h:mm:ss, m:ss or seconds, with the parts that steps of `step` seconds need. `longest`
	 * decides for all times of one axis. */
	function clock(time, step = 1, longest = time) {
		const sign = time < 0 ? "−" : "";
		const at = Math.abs(time);
		if (longest < 120 || step < 1) {
			return sign + number(Number(at.toFixed(3)), 7);
		}
		const rounded = Math.round(at);
		if (step % 86400 === 0) {
			return `${sign}${rounded / 86400}${space}d`;
		}
		const hours = Math.floor(rounded / 3600);
		const minutes = Math.floor(rounded / 60);
		if (longest < 3600) {
			return `${sign}${minutes}:${two(rounded % 60)}`;
		}
		return `${sign}${hours}:${two(minutes % 60)}${step % 60 === 0 ? "" : ":" + two(rounded % 60)}`;
	}

	/* How clock() writes the times of an axis. */
	function clockName(step, longest) {
		if (longest < 120 || step < 1) {
			return "s";
		}
		if (step % 86400 === 0) {
			return "days";
		}
		return longest < 3600 ? "m:ss" : step % 60 === 0 ? "h:mm" : "h:mm:ss";
	}

	return { clock, clockName, number, power, quantity, scale, withUnit };
})();
