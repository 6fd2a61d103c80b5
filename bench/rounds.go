package main

import "slices"

// pairs are what alternating rounds of a yardstick and a subject have measured.
type pairs struct{ yardstick, subject []float64 }

// alternate measures one after the other, so that both of a pair have seen the same
// machine.
func alternate(rounds int, yardstick, subject func() (float64, error)) (p pairs, err error) {
	for range rounds {
		before, err := yardstick()
		if err != nil {
			return p, err
		}
		measured, err := subject()
		if err != nil {
			return p, err
		}
		p.yardstick = append(p.yardstick, before)
		p.subject = append(p.subject, measured)
	}
	return p, nil
}

// ratio is the median of the rounds' ratios, with the least and the greatest.
func (p pairs) ratio() (middle, least, greatest float64) {
	ratios := make([]float64, len(p.subject))
	for i := range ratios {
		ratios[i] = p.subject[i] / p.yardstick[i]
	}
	return median(ratios), slices.Min(ratios), slices.Max(ratios)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
