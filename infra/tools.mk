# Programs that are built from Go modules by `make build/tools/NAME`, each at one version.
TOOL_kubeconform := github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
TOOL_kustomize := sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
