# Autolab takes the scores from the last line.
{ scores: ([.assignments[] | { (.name): .points }] | add // {}) } | tojson
