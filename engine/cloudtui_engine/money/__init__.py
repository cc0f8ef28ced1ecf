"""What machines cost: prices, what accrued, budgets, forecast. Pure, and reckoned in whole micro-dollars."""
