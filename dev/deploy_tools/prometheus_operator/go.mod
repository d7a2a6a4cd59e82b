// Only the definitions in its folder example/prometheus-operator-crd are taken; nothing of it is built.
module deploy-tools/prometheus-operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.92.1
