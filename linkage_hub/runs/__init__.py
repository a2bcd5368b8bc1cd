"""Link runs: from accepted submissions to persons, families and flags."""
