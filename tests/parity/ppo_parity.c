/*
 * ppo_parity FILE...: does updates of Stable-Baselines3's PPO again (tests/support/ppo_golden.h
 * says what a FILE holds) and prints how far off each quantity is. Exit status: 1 when one is
 * farther than 2e-6, 2 when a file cannot be used.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/ppo_golden.h"

int main(int count, char **arguments)
{
	if (count < 2) {
		fprintf(stderr, "usage: ppo_parity FILE...\n");
		return 2;
	}
	static golden_report report;
	int far_off = 0;
	for (int i = 1; i < count; i++) {
		weir_error error = {0};
		if (golden_run(arguments[i], NULL, &report, &error) != WEIR_OK) {
			fprintf(stderr, "ppo_parity: %s: %s\n", error.where, error.message);
			return 2;
		}
		printf("%s\n", arguments[i]);
		for (size_t k = 0; k < report.count; k++) {
			const golden_result *result = &report.results[k];
			bool bad = !(result->largest <= golden_tolerance);
			far_off += bad;
			printf("  %-60s %8.1e", result->name, result->largest);
			if (bad) {
				printf("  BEYOND %.0e: number %zu is %.9g, not %.9g", golden_tolerance, result->at,
				       result->got, result->wanted);
			}
			printf("\n");
		}
	}
	if (far_off > 0) {
		printf("%d quantities are beyond %.0e\n", far_off, golden_tolerance);
	}
	return far_off > 0 ? 1 : 0;
}
